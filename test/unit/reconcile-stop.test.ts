import { table } from './cluster-kit.js'

const graceful = { stopping: 'graceful' as const }
const now = { stopping: 'now' as const }

table([
  {
    name: 'in a graceful stop those that hold the socket and do not accept are killed first',
    slots: [],
    desired: graceful,
    members: ['w g1 p1 serving', 'w g1 p2 serving', 'w g1 p3 launching', 'w g1 p4 ready'],
    actions: ['kill 3 stop', 'kill 4 stop']
  },
  {
    name: 'the serving ones wait until those are gone, not only killed',
    slots: [],
    desired: graceful,
    members: ['w g1 p1 serving', 'w g1 p2 serving', 'w g1 p3 launching killed'],
    actions: []
  },
  {
    name: 'then the serving ones all retire',
    slots: [],
    desired: graceful,
    members: ['w g1 p1 serving', 'w g1 p2 serving'],
    actions: ['retire 1 stop', 'retire 2 stop']
  },
  {
    name: 'of two generations in a roll that is cut all retire',
    slots: [],
    desired: graceful,
    members: ['w g1 p1 serving', 'w g1 p2 retiring', 'w g2 p1 serving'],
    actions: ['retire 1 stop', 'retire 3 stop']
  },
  {
    name: 'a spare is killed in a stop, for it would hold the socket',
    slots: [],
    desired: graceful,
    members: ['w g1 p1 serving', 'w g1 p2 ready'],
    actions: ['kill 2 stop']
  },
  {
    name: 'a worker that was asked to leave before the stop keeps that reason',
    slots: [],
    desired: graceful,
    members: ['w g1 p1 serving stale'],
    actions: ['retire 1 signal']
  },
  {
    name: 'nothing is launched in a stop, whatever is missing',
    slots: ['shell g1 x1'],
    desired: graceful,
    members: ['w g1 p1 retiring'],
    actions: []
  },
  {
    name: 'services stay while a worker is left',
    slots: ['shell g1 x1'],
    desired: graceful,
    members: ['w g1 p1 retiring', 'shell g1 p1 serving'],
    actions: []
  },
  {
    name: 'services leave after the workers',
    slots: [],
    desired: graceful,
    members: ['shell g1 p1 serving', 'jobs g1 p1 ready', 'jobs g1 p2 launching', 'shell g1 p1 retiring'],
    actions: ['retire 1 stop', 'retire 2 stop', 'kill 3 stop']
  },
  {
    name: 'the drain has its deadline in a stop, too',
    slots: [],
    desired: graceful,
    members: ['w g1 p1 retiring since=0'],
    now: 95_000,
    actions: ['kill 1 drain-timeout']
  },
  {
    name: 'what hangs is killed in a stop, too',
    slots: [],
    desired: { ...graceful, hangTimeout: 5_000 },
    members: ['w g1 p1 serving seen=0', 'w g1 p2 serving seen=4000'],
    now: 5_000,
    actions: ['kill 1 hung', 'retire 2 stop']
  },
  {
    name: 'a stop now kills everything at once',
    slots: [],
    desired: now,
    members: ['w g1 p1 launching', 'w g1 p2 ready', 'w g1 p3 serving', 'w g1 p4 retiring', 'shell g1 p1 serving'],
    actions: ['kill 1 stop-now', 'kill 2 stop-now', 'kill 3 stop-now', 'kill 4 stop-now', 'kill 5 stop-now']
  },
  {
    name: 'a stop now does not kill what is killed already',
    slots: [],
    desired: now,
    members: ['w g1 p1 serving killed', 'w g1 p2 retiring'],
    actions: ['kill 2 stop-now']
  },
  {
    name: 'a stop of nothing does nothing',
    slots: [],
    desired: graceful,
    actions: [],
    waits: []
  }
])
