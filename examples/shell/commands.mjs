// Commands of the app's own: each runs in a thread, and gets the words that follow its name.
export default {
  /** greet NAME ... */
  async greet(argv, send) {
    send(`Hello ${argv.join(' and ') || 'nobody'}.`)
  },

  /** Asks before it acts. */
  async restart(_argv, send, recv, primary) {
    const { target } = await primary.status()
    send(`Replace ${target} workers? yes or no`)
    if (String(await recv()) !== 'yes') return send('Nothing was done.')
    const { generation } = await primary.reload()
    send(`Generation ${generation} serves.`)
  }
}
