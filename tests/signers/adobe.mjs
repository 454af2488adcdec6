// Adobe's own library says what it makes of events. Each line of the input is {body, signatures, keys, client}; it is given the keys
// instead of fetching them.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

process.env.LOG_LEVEL = "error";
const require = createRequire(new URL("../npm/package.json", import.meta.url));
const { exportFunctions: adobe } = require("@adobe/aio-lib-events/src/signatureUtils.js");

for await (const line of createInterface({ input: process.stdin })) {
  const { body, signatures, keys, client } = JSON.parse(line);
  const ours = adobe.isTargetRecipient(JSON.parse(body), client);
  console.log(String(ours && (await adobe.verifySignature(signatures, body, keys, client)) === true));
}
