// Round-robin TCP load balancer in a process of its own: `node balancer.mjs PORT GATEWAY_PORT…`. Each connection goes
// to the next gateway that accepts connections.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const [ownPort, ...gatewayPorts] = process.argv.slice(2).map(Number);
let turn = 0;

async function reachNext() {
  for (const _ of gatewayPorts) {
    turn = (turn + 1) % gatewayPorts.length;
    const gateway = connect({ port: gatewayPorts[turn], host: '127.0.0.1', noDelay: true });
    const reached = await once(gateway, 'connect').catch(() => null);
    if (reached) return gateway;
  }
  return null;
}

const server = createServer({ noDelay: true, pauseOnConnect: true }, async (client) => {
  client.on('error', () => {});
  const gateway = await reachNext();
  if (!gateway) return void client.resetAndDestroy();
  gateway.on('error', () => client.resetAndDestroy());
  gateway.once('close', () => client.destroy());
  client.once('close', () => gateway.destroy());
  client.pipe(gateway).pipe(client);
});
server.listen(ownPort, '127.0.0.1', () => process.stdout.write('ready\n'));
