// deep-email-validator does an order of orders.py. Its installation: systems/libraries.py, the first argument.
const { validate } = require(process.argv[2]);
const lines = require("readline").createInterface({ input: process.stdin });

lines.once("line", async (line) => {
  const order = JSON.parse(line);
  const tookMs = [];
  const said = {};
  let turn = 0;
  const started = performance.now();
  const before = process.cpuUsage();
  const until = started + order.seconds * 1000;

  async function ask() {
    while (performance.now() < until && (!order.questions || turn < order.questions)) {
      const number = order.first + turn++;
      const email = `u${number}@${order.kind}${number % order.domains}.test`;
      const asked = performance.now();
      const { valid, reason } = await validate({
        email,
        sender: "postmaster@home.test",
        validateTypo: false,
        validateDisposable: false,
      });
      const now = performance.now();
      if (now > until) return;
      tookMs.push(now - asked);
      const answer = valid ? "true" : String(reason);
      said[answer] = (said[answer] || 0) + 1;
    }
  }

  const late = new Promise((resolve) => setTimeout(resolve, order.seconds * 1000));
  await Promise.race([late, Promise.all(Array.from({ length: order.askers }, ask))]);
  const spent = process.cpuUsage(before);
  const outcome = {
    seconds: (performance.now() - started) / 1000,
    took_ms: tookMs,
    said,
    cpu_s: (spent.user + spent.system) / 1e6,
  };
  process.stdout.write(JSON.stringify(outcome) + "\n");
  lines.once("close", () => process.exit(0));
});
