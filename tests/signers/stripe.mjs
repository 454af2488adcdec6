// Stripe's own library. Reads lines {body, header, secret, timestamp} and prints for each {header, valid}:
// the header it makes for the body, and whether it takes the given one for valid at that time.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../npm/package.json", import.meta.url));
const Stripe = require("stripe");
const { webhooks } = new Stripe("sk_test_none");

function valid({ body, header, secret, timestamp }) {
  try {
    return Boolean(webhooks.constructEvent(body, header, secret, 300, undefined, timestamp * 1000));
  } catch {
    return false;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  const { body: payload, secret, timestamp } = question;
  console.log(JSON.stringify({ header: webhooks.generateTestHeaderString({ payload, secret, timestamp }), valid: valid(question) }));
}
