// Makes a component of a JavaScript module. `vak build` runs it with node:
// it reads one JSON object from the environment and writes the file `output`.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { modules, source, wit, world, output, disableFeatures } = JSON.parse(process.env.VAK_BUILD);
const tool = join(modules, '@bytecodealliance/componentize-js/src/componentize.js');

try {
  const { componentize } = await import(pathToFileURL(tool).href);
  const { component } = await componentize({ sourcePath: source, witPath: wit, worldName: world, disableFeatures });
  await writeFile(output, component);
} catch (error) {
  // The message says what is wrong with the source; the stack is the tool's.
  console.error(String(error?.message ?? error));
  process.exitCode = 1;
}
