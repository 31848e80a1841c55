// The smallest app there is: what is measured is what stands around it.

const HELLO = Buffer.from('hello, world\n')

/** A factory, as Mapache takes it: resolves to a `node:http` listener. `/who` answers the pid of the worker. */
export default function createHello() {
  return (req, res) => {
    const body = req.url === '/who' ? Buffer.from(String(process.pid)) : HELLO
    res.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length })
    res.end(body)
  }
}
