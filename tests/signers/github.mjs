// GitHub's own library over GitHub's own payloads.
// `sign SECRET` prints one line {event, body, signature} a payload; `verify SECRET` reads lines {body, signature}, prints true or false.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const packages = new URL("../npm/", import.meta.url);
const { sign, verify } = await import(new URL("node_modules/@octokit/webhooks-methods/dist-node/index.js", packages));
const [, , mode, secret] = process.argv;

if (mode === "sign") {
  const definitions = createRequire(new URL("package.json", packages))("@octokit/webhooks-examples");
  for (const { name, examples } of definitions) {
    for (const example of examples) {
      const body = JSON.stringify(example);
      console.log(JSON.stringify({ event: name, body, signature: await sign(secret, body) }));
    }
  }
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    const { body, signature } = JSON.parse(line);
    console.log(JSON.stringify(await verify(secret, body, signature)));
  }
}
