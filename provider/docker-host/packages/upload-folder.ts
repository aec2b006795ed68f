/** Where files of the program's lie while packages are installed from them; root's alone. */
export const UPLOAD_FOLDER = "/var/lib/slipway/packages";
