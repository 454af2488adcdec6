// Amazon's own validator for Node.js says what it makes of messages. Each line of the input is {message, certificate}; instead of
// fetching, it is given the certificate.
import https from "node:https";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const Validator = createRequire(new URL("../npm/package.json", import.meta.url))("sns-validator");

let certificate = "";
https.get = (_url, answer) => {
  const response = Readable.from([Buffer.from(certificate)]);
  response.statusCode = 200;
  answer(response);
  return { on: () => {} };
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  certificate = asked.certificate;
  const error = await new Promise((resolve) => new Validator().validate(asked.message, resolve));
  console.log(error ? "false" : "true");
}
