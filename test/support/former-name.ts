/** What the service "web" was called before. */
export const FORMER = "shop";
