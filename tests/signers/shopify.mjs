// Shopify's own library. Reads lines {body, headers} and prints for each {signature, valid}:
// the signature it makes for the body, and whether it takes the headers for a valid webhook.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../npm/package.json", import.meta.url));
require("@shopify/shopify-api/adapters/node");
const { shopifyApi, ApiVersion, LogSeverity } = require("@shopify/shopify-api");
const { createSHA256HMAC } = require("@shopify/shopify-api/runtime");
const secret = process.argv[2];

const shopify = shopifyApi({
  apiKey: "key",
  apiSecretKey: secret,
  apiVersion: ApiVersion.July26,
  hostName: "app.example.com",
  isEmbeddedApp: false,
  logger: { level: LogSeverity.Error, log: async () => {} },
});

for await (const line of createInterface({ input: process.stdin })) {
  const { body, headers } = JSON.parse(line);
  const rawRequest = { method: "POST", url: "/hooks/orders", headers };
  const { valid } = await shopify.webhooks.validate({ rawBody: body, rawRequest, rawResponse: {} });
  console.log(JSON.stringify({ signature: await createSHA256HMAC(secret, body), valid }));
}
