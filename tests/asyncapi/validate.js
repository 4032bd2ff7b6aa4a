// Says what the official parser finds in an AsyncAPI file: one line each on standard output.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const file = process.argv[2];
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"), {
  source: file,
});
for (const found of diagnostics) {
  console.log(`${found.path.join(".")}: ${found.code}: ${found.message}`);
}
if (document === undefined) process.exit(1);
console.error(`AsyncAPI ${document.version()}, ${document.operations().length} operations`);
