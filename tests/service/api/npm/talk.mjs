// What the official client of OpenAI's API for JavaScript gets from a server: `node talk.mjs BASE_URL KEY`. Prints one JSON document.
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "a funny film for tonight" }];
const metadata = { device: "tv", place: "home", k: "3" };

const models = [];
for await (const model of client.models.list()) models.push(model.id);

const first = await client.chat.completions.create({ model: "scenewise", messages, metadata });
messages.push(first.choices[0].message, { role: "user", content: "why the second one?" });
const second = await client.chat.completions.create({ model: "scenewise", messages, metadata });

const stream = await client.chat.completions.create({
  model: "scenewise",
  messages: [...messages, second.choices[0].message, { role: "user", content: "something else, please" }],
  metadata,
  stream: true,
  stream_options: { include_usage: true },
});
const streamed = { text: "", steps: [], record: null, usage: null, finish: null };
for await (const chunk of stream) {
  streamed.text += chunk.choices[0]?.delta?.content ?? "";
  streamed.finish = chunk.choices[0]?.finish_reason ?? streamed.finish;
  streamed.usage = chunk.usage ?? streamed.usage;
  if (chunk.scenewise?.step) streamed.steps.push(chunk.scenewise.step.name);
  if (chunk.scenewise?.turn_id) streamed.record = chunk.scenewise;
}

const failures = {};
for (const [name, ask] of Object.entries({
  model: () => client.chat.completions.create({ model: "other", messages }),
  key: () => new OpenAI({ baseURL, apiKey: "sw-wrong", maxRetries: 0 }).models.list(),
  empty: () => client.chat.completions.create({ model: "scenewise", messages: [] }),
})) {
  try {
    await ask();
    failures[name] = null;
  } catch (error) {
    failures[name] = { kind: error.constructor.name, status: error.status, code: error.code };
  }
}
console.log(JSON.stringify({ models, first, second, streamed, failures }));
