// Senders' own libraries, one question a line: {"ask": NAME, …} is answered by one line of JSON, a signature or true/false.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../npm/package.json", import.meta.url));
const octokit = await import(new URL("../npm/node_modules/@octokit/webhooks-methods/dist-node/index.js", import.meta.url));
const { LinearWebhookClient } = await import(new URL("../npm/node_modules/@linear/sdk/dist/webhooks/index.mjs", import.meta.url));
const { EventWebhook } = require("@sendgrid/eventwebhook");
const { isValidSlackRequest } = require("@slack/bolt");
const notion = require("@notionhq/client");
const standard = require("standardwebhooks");
const svix = require("svix");
const twilio = require("twilio");

function holds(check) {
  try {
    return check() !== false;
  } catch {
    return false;
  }
}

const answers = {
  now: () => Date.now(),
  octokit_sign: ({ secret, body }) => octokit.sign(secret, body),
  notion_sign: ({ secret, body }) => notion.signWebhookPayload({ body, verificationToken: secret }),
  notion_verify: ({ secret, body, signature }) => notion.verifyWebhookSignature({ body, signature, verificationToken: secret }),
  linear_verify: ({ secret, body, signature }) =>
    holds(() => new LinearWebhookClient(secret).verify(Buffer.from(body), signature)),
  sendgrid_verify: ({ key, body, signature, timestamp }) => {
    const webhook = new EventWebhook();
    return holds(() => webhook.verifySignature(webhook.convertPublicKeyToECDSA(key), body, signature, timestamp));
  },
  slack_verify: ({ secret, body, signature, timestamp, now }) =>
    isValidSlackRequest({
      signingSecret: secret,
      body,
      headers: { "x-slack-signature": signature, "x-slack-request-timestamp": timestamp },
      nowMilliseconds: now * 1000,
    }),
  standard_sign: ({ secret, id, timestamp, body }) => new standard.Webhook(secret).sign(id, new Date(timestamp * 1000), body),
  standard_verify: ({ secret, headers, body }) => holds(() => Boolean(new standard.Webhook(secret).verify(body, headers))),
  svix_sign: ({ secret, id, timestamp, body }) => new svix.Webhook(secret).sign(id, new Date(timestamp * 1000), body),
  svix_verify: ({ secret, headers, body }) => holds(() => Boolean(new svix.Webhook(secret).verify(body, headers))),
  twilio_sign: ({ secret, url, fields }) => twilio.getExpectedTwilioSignature(secret, url, fields),
  twilio_verify: ({ secret, url, fields, signature }) => twilio.validateRequest(secret, signature, url, fields),
  twilio_verify_body: ({ secret, url, body, signature }) => twilio.validateRequestWithBody(secret, signature, url, body),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line);
  console.log(JSON.stringify(await answers[ask](question)));
}
