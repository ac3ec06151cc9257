// obs-websocket-js: the requests of the script in JSON, then batches, events and a wrong password.
// Arguments: the library, the URL, the password and the script.
const fs = require("node:fs");
const vm = require("node:vm");

// The longest wait for a value, in milliseconds. The computer may be busy.
const LIMIT = 60_000;
const [library, url, password, path] = process.argv.slice(2);
const script = JSON.parse(fs.readFileSync(path, "utf8"));
// The library is a script for browsers, which defines a global name.
vm.runInThisContext(fs.readFileSync(library, "utf8"));
const OBSWebSocket = globalThis.OBSWebSocket.default ?? globalThis.OBSWebSocket;

const pause = (millis) => new Promise((done) => setTimeout(done, millis));
const fail = (text) => {
  console.error(text);
  process.exit(1);
};

const saved = {};
const withSaved = (value) => {
  if (typeof value === "string" && value.startsWith("$")) return saved[value.slice(1)];
  if (Array.isArray(value) || value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withSaved(inner)]));
};
const at = (data, place) => place.split(".").reduce((inner, part) => inner?.[part], data);
const fits = (found, wanted) => {
  if (typeof wanted === "string" && wanted.includes("*")) {
    const [start, end] = wanted.split("*");
    return typeof found === "string" && found.startsWith(start) && found.endsWith(end);
  }
  if (typeof wanted === "number") return Math.abs(found - wanted) < 1e-6;
  return JSON.stringify(found) === JSON.stringify(wanted);
};
const wrong = (data, expected) =>
  Object.entries(expected)
    .filter(([place, wanted]) => !fits(at(data, place), wanted))
    .map(([place, wanted]) => `${place} is ${JSON.stringify(at(data, place))} instead of ${JSON.stringify(wanted)}`)[0];

const main = async () => {
  const refused = new OBSWebSocket();
  const code = await refused.connect(url, password + "x").then(() => 0, (error) => error.code);
  if (code !== 4009) fail(`a wrong password ends with ${code}`);

  const client = new OBSWebSocket();
  const seen = new Set();
  for (const name of [...script.events, "CustomEvent"]) client.on(name, () => seen.add(name));
  await client.connect(url, password, { rpcVersion: 1 });
  let count = 0;
  for (const [name, data, expected, more = {}] of script.requests) {
    const end = Date.now() + (more.wait ? LIMIT : 0);
    for (;;) {
      const [status, answer] = await client.call(name, withSaved(data)).then(
        (answer) => [100, answer],
        (error) => [error.code, error.message],
      );
      count += 1;
      const problem = status === (more.code ?? 100)
        ? wrong(answer ?? {}, withSaved(expected))
        : `status ${status}: ${answer}`;
      if (!problem) {
        for (const [key, place] of Object.entries(more.save ?? {})) saved[key] = at(answer, place);
        break;
      }
      if (Date.now() > end) fail(`request ${name} ${JSON.stringify(data)}: ${problem}`);
      await pause(50);
    }
  }
  const begin = Date.now();
  const batch = await client.callBatch([
    { requestType: "GetVersion" },
    { requestType: "Sleep", requestData: { sleepMillis: 200 } },
    { requestType: "GetStats" },
  ]);
  if (batch.length !== 3 || !batch.every((it) => it.requestStatus.result)) fail(JSON.stringify(batch));
  if (Date.now() - begin < 195) fail("the batch did not sleep");
  await client.call("BroadcastCustomEvent", { eventData: { from: "obs-websocket-js" } });
  const end = Date.now() + LIMIT;
  const lacking = () => [...script.events, "CustomEvent"].filter((name) => !seen.has(name));
  while (lacking().length > 0 && Date.now() < end) await pause(50);
  if (lacking().length > 0) fail(`events are missing: ${lacking()}`);
  // Afterwards, no event of a group that is not wanted arrives.
  await client.reidentify({ eventSubscriptions: 0 });
  console.log(`${count} requests, ${seen.size} kinds of events`);
  await client.disconnect();
};

main().then(() => process.exit(0), (error) => fail(error?.stack ?? String(error)));
