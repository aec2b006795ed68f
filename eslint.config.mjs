// The type-checked rules hold promises and unions; the restrictions below hold the shape of the house.
import tseslint from "typescript-eslint";

const onlyIn = (pattern, message) => ({ group: pattern, message });
const pulumiSdk = onlyIn(
  ["@pulumi/pulumi", "@pulumi/pulumi/*"],
  "@pulumi/pulumi belongs to pulumi/, resource.ts and the resource files.",
);
const ssh2 = onlyIn(["ssh2", "ssh2/*"], "ssh2 belongs to provider/host.");
const programs = onlyIn(
  ["child_process", "node:child_process"],
  "No program of the user's machine is run; what runs on a host goes through provider/host.",
);
// what these load, no rule above sees; dependency-cruiser follows the rest of import() and require()
const loaders = onlyIn(["module", "node:module"], "Modules are imported by name, where lint sees them.");
const hiddenImports = [
  {
    selector: "ImportExpression[source.type!='Literal']",
    message: "import() takes a name that lint can read.",
  },
  {
    selector: "CallExpression[callee.name='require'][arguments.0.type!='Literal']",
    message: "require() takes a name that lint can read.",
  },
  {
    selector: "MemberExpression[property.name='getBuiltinModule']",
    message: "Modules are imported by name, where lint sees them.",
  },
];
const plannerIsPure = { selector: "AwaitExpression", message: "The planner cannot do I/O." };

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "max-lines": ["error", 300],
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", name: ["it", "describe", "before", "after"], package: "mocha" },
          ],
        },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-empty-function": ["error", { allow: ["arrowFunctions"] }],
      "@typescript-eslint/prefer-nullish-coalescing": [
        "error",
        { ignorePrimitives: { string: true, boolean: true } },
      ],
    },
  },
  {
    files: ["provider/**/*.ts"],
    ignores: ["provider/pulumi/**", "provider/resource.ts", "provider/*/resource.ts", "provider/host/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [pulumiSdk, ssh2, programs, loaders] }] },
  },
  {
    files: ["provider/host/**/*.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [pulumiSdk, programs, loaders] }] },
  },
  {
    files: ["provider/pulumi/**/*.ts", "provider/resource.ts", "provider/*/resource.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [ssh2, programs, loaders] }] },
  },
  {
    // it looks for the SDK that runs it, where that was loaded from
    files: ["provider/pulumi/engine-log.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [ssh2, programs] }] },
  },
  { files: ["provider/**/*.ts"], rules: { "no-restricted-syntax": ["error", ...hiddenImports] } },
  {
    files: ["provider/*/plan.ts", "provider/docker-host/plan/*.ts"],
    rules: {
      "@typescript-eslint/promise-function-async": "error",
      "no-restricted-syntax": ["error", plannerIsPure, ...hiddenImports],
    },
  },
  { files: ["scripts/**/*.js"], rules: { "max-lines": ["error", 300] } },
);
