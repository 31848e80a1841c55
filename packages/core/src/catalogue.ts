/**
 * The one catalogue of what can go wrong: a code, what it means, and what to do about it. `docs/errors.md` is compared
 * with it by a test, both ways.
 */
export const CATALOGUE = {
  MAPACHE_OPTION_INVALID: {
    means: 'An option has a wrong name, type or value.',
    fix: 'Change the named option to what the message asks for.'
  },
  MAPACHE_POLICY_FAILED: {
    means: 'The policy of the options threw, or returned no whole number. The number of workers stays as it is.',
    fix: 'Let policy(vitals, desired) return how many workers should serve: a whole number, at once, not a promise.'
  },
  MAPACHE_LISTEN_INVALID: {
    means: 'The arguments of listen() name no address.',
    fix: "Pass what server.listen takes: a port, { port, host }, { path }, '/path.sock', or an array of these."
  },
  MAPACHE_NODE_VERSION: {
    means: 'This Node.js is older than 20.19.',
    fix: 'Run it with Node.js 20.19 or newer.'
  },
  MAPACHE_UNSUPPORTED_PLATFORM: {
    means: 'The platform is not one that Mapache runs on (Linux, macOS).',
    fix: 'On Windows run the app inside WSL.'
  },
  MAPACHE_IN_CLUSTER: {
    means: 'Mapache was started inside a worker of node:cluster or of PM2 in cluster mode.',
    fix: "Start it once, outside of it: without cluster.fork(), and under PM2 with exec_mode 'fork' and one instance."
  },
  MAPACHE_ALREADY_LISTENING: {
    means: 'This process already called listen() on a Mapache app.',
    fix: 'Pass several addresses to one listen() as an array, or start a second process for the second app.'
  },
  MAPACHE_ENTRY_MISSING: {
    means: 'There is no file that a worker could be started from.',
    fix: 'Start the app from a file (not from --eval or the REPL), and check the path given.'
  },
  MAPACHE_ENV_FILE: {
    means: 'The file named by envFile cannot be read.',
    fix: 'Create it, correct the path, or leave envFile out.'
  },
  MAPACHE_ADDRESS_IN_USE: {
    means: 'Another process listens on the address.',
    fix: 'Stop that process, or listen on another port, host or path.'
  },
  MAPACHE_ADDRESS_DENIED: {
    means: 'The system does not permit this user to listen there.',
    fix: 'Use a port from 1024 up, a folder that the user may write, or give the process CAP_NET_BIND_SERVICE.'
  },
  MAPACHE_ADDRESS_UNAVAILABLE: {
    means: 'The address cannot be listened on: the host is unknown or is none of this machine, or the path is bad.',
    fix: 'Use a host that this machine has, such as 127.0.0.1 or 0.0.0.0, and a path in an existing folder.'
  },
  MAPACHE_ADDRESS_MISMATCH: {
    means: 'A worker came to listen on another address than the one it was given.',
    fix: 'The worker is ended and replaced. If it repeats, another process takes the address: see who listens there.'
  },
  MAPACHE_CHANNEL_FOLDER: {
    means: 'No private folder for the channel could be made.',
    fix: 'Set XDG_RUNTIME_DIR (or RUNTIME_DIRECTORY) to a short path that only this user may write.'
  },
  MAPACHE_CHANNEL_VERSION: {
    means: 'The worker and its supervisor come from versions of Mapache that do not speak the same protocol.',
    fix: 'Install one version of @mapache/core, or restart the supervisor after an upgrade.'
  },
  MAPACHE_CHANNEL_REFUSED: {
    means: 'A message on the channel did not fit the protocol, or its sender may not send it.',
    fix: 'Nothing else is harmed. Check the module or version that sent it; the log names the process.'
  },
  MAPACHE_CHANNEL_CLOSED: {
    means: 'The channel to the supervisor closed before the answer came.',
    fix: 'See whether the supervisor still runs and is only busy; if it has stopped or died, start it again.'
  },
  MAPACHE_CLUSTER_NOT_FOUND: {
    means: 'No cluster of this user runs, or none with the name or pid that was given.',
    fix: 'Start it, or correct --name or --pid. A command finds clusters of its own user and runtime directory only.'
  },
  MAPACHE_CLUSTER_AMBIGUOUS: {
    means: 'Several clusters run, and the command was not told which one is meant.',
    fix: 'Choose one with --name NAME or --pid PID.'
  },
  MAPACHE_BOOT_FAILED: {
    means: 'A worker ended before it was ready.',
    fix: "Read the app's own error, which is the cause; it is printed whole."
  },
  MAPACHE_BOOT_TIMEOUT: {
    means: 'A worker was not ready within bootTimeout.',
    fix: 'See what the app waits for before it listens, or raise bootTimeout.'
  },
  MAPACHE_CANARY_FAILED: {
    means: "A new generation's first worker, the canary, was worse than the old generation, or ended while it soaked.",
    fix: 'Correct the new code: the message and figures say in what it is worse. Or widen the option canary.'
  },
  MAPACHE_SETUP_FAILED: {
    means: 'The set-up threw, ended before it was done, or was not done within setupTimeout.',
    fix: "Read the app's own error, which is the cause. Nothing of the new code was started; what served goes on serving."
  },
  MAPACHE_SETUP_INVALID: {
    means: 'The module named by setup or teardown has no function as its default export.',
    fix: 'Export the function as default.'
  },
  MAPACHE_TEARDOWN_FAILED: {
    means: 'The teardown threw, ended before it was done, or was not done within setupTimeout.',
    fix: "Read the app's own error, which is the cause. The cluster has stopped; do by hand what is left to do."
  },
  MAPACHE_SETTLE_FAILED: {
    means: 'The first worker of a new generation served, but ended within settle.',
    fix: 'Read the cause: the new code crashes soon after it starts. The old workers go on serving.'
  },
  MAPACHE_FACTORY_INVALID: {
    means: 'The factory is no function, or did not return an app that can be served.',
    fix: 'Export a function as default that returns the app (or a promise of it).'
  },
  MAPACHE_RELOAD_SUPERSEDED: {
    means: 'A newer reload took the place of this one, or a newer base that of the one that was asked for.',
    fix: 'Nothing, if the files are the same: the newer one loads them, only later. Put nothing back because of it.'
  },
  MAPACHE_STOPPING: {
    means: 'The cluster is stopping, so it starts nothing more.',
    fix: 'Start it again when it has stopped.'
  },
  MAPACHE_SUPERVISOR_STOPPED: {
    means: 'The cluster was stopped before it served.',
    fix: 'Nothing, if the stop was meant.'
  },
  MAPACHE_CONTROL_DENIED: {
    means: 'A worker asked to control the cluster without being allowed to.',
    fix: 'Set control: true if app code in a worker may reload, scale and stop the cluster.'
  },
  MAPACHE_PROCESS_UNKNOWN: {
    means: 'No worker or service has the id that was named.',
    fix: 'Take an id of `mapache status`: a process that has been replaced has a new one.'
  },
  MAPACHE_REFORK_UNSUPPORTED: {
    means: 'Workers that were spawned cannot be reforked.',
    fix: 'Use reload() instead: it starts new workers from disk. To fork workers, install @mapache/native (docs/forking.md).'
  },
  MAPACHE_REFORK_FAILED: {
    means: 'No worker could be made the mold of the next generation.',
    fix: 'The workers serve on. The cause says what stayed open after the app was closed: close it in the app.'
  },
  MAPACHE_FORK_UNAVAILABLE: {
    means: "The option boot is 'fork', and workers cannot be forked here.",
    fix: "Do what the message says, or leave boot at 'auto', which spawns where it cannot fork."
  },
  MAPACHE_FORK_FAILED: {
    means: 'A worker could not be forked from its mold.',
    fix: 'It is tried again. If it repeats, see the log around it: memory, limits of processes, or a mold that ended.'
  },
  MAPACHE_MOLD_UNCLEAN: {
    means:
      'The app holds something after loading that a forked worker must not share (a socket, a thread, a child ...).',
    fix: "Open it in the factory, or in the app's own start, and not while modules are loaded; or set boot to 'spawn'."
  },
  MAPACHE_ROLLBACK_UNAVAILABLE: {
    means: 'There is no generation to roll back to: none was before, its mold is gone, or rollbackWindow has passed.',
    fix: 'Put the old code back in place and reload. For rollbacks workers must be forked, not spawned.'
  },
  MAPACHE_ROLLED_BACK: {
    means: 'The reload was called back by a rollback while it ran.',
    fix: 'Nothing: the old workers serve on.'
  },
  MAPACHE_UPGRADE_UNSUPPORTED: {
    means: 'The supervisor cannot replace itself without native code.',
    fix: 'Stop it and start it again; a reload renews everything but the supervisor.'
  },
  MAPACHE_ILLEGAL_TRANSITION: {
    means: 'A process was moved to a state that its state does not lead to: a defect of Mapache.',
    fix: 'Please report it with the log around it.'
  },
  MAPACHE_MODULE_INVALID: {
    means: 'A module does not have the shape { name, services, messages, on }, or shares its name with another.',
    fix: 'Correct the module as the message says.'
  },
  MAPACHE_SERVICE_INVALID: {
    means: "A service's entry has no function as its default export.",
    fix: 'Export the function that runs the service as default.'
  },
  MAPACHE_LOADER_MISSING: {
    means: 'The entry is TypeScript that this Node.js cannot run by itself, and the project has no loader for it.',
    fix: 'Install the loader in the project: npm install --save-dev tsx.'
  },
  MAPACHE_CREDENTIAL_MISSING: {
    means: 'What gives power over the cluster was to be served with neither a password nor client certificates.',
    fix: 'Make a hash with "mapache shell passwd" and pass it as password, or pass as ca who may come in.'
  },
  MAPACHE_CREDENTIAL_INVALID: {
    means: 'The option password is not the hash of a password.',
    fix: 'Make one with "mapache shell passwd", and pass the text that it prints. The password itself is never an option.'
  },
  MAPACHE_CERTIFICATE_INVALID: {
    means: 'A certificate or its key cannot be read, made or used.',
    fix: 'Check the paths or the PEM texts of cert, key and ca, and that the key belongs to the certificate.'
  },
  MAPACHE_ADDRESS_EXPOSED: {
    means: 'What gives power over the cluster was to be served on an address that other machines may reach.',
    fix: 'Listen on 127.0.0.1 and come in through an SSH tunnel; or set expose: true, if it is meant.'
  }
} as const
