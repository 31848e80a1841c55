import { table } from './cluster-kit.js'

table([
  {
    name: 'a setup is launched, and activated when it is ready',
    slots: ['setup g1 x1'],
    actions: ['launch setup g1 p1']
  },
  { name: 'and once', slots: ['setup g1 x1'], members: ['setup g1 p1 ready'], actions: ['activate 1'] },
  {
    name: 'its boot and its silence have no limit but setupTimeout',
    slots: ['setup g1 x1'],
    members: ['setup g1 p1 launching'],
    desired: { hangTimeout: 2_000 },
    now: 599_999,
    actions: [],
    waits: [600_000]
  },
  {
    name: 'without a limit it may take for ever',
    slots: ['setup g1 x1'],
    members: ['setup g1 p1 serving'],
    desired: { setupTimeout: 0 },
    now: 9_999_999,
    actions: [],
    waits: []
  },
  {
    name: 'when its time is over it is told',
    slots: ['setup g1 x1'],
    members: ['setup g1 p1 serving'],
    now: 600_000,
    actions: ['retire 1 setup-timeout']
  },
  {
    name: 'one that has not begun is killed',
    slots: ['setup g1 x1'],
    members: ['setup g1 p1 launching'],
    now: 600_000,
    actions: ['kill 1 setup-timeout']
  },
  {
    name: 'one that was told has five seconds, and no other is launched meanwhile',
    slots: ['setup g1 x1'],
    members: ['setup g1 p1 retiring since=600000 reason=setup-timeout'],
    now: 604_999,
    actions: [],
    waits: [605_000]
  },
  {
    name: 'then it is killed',
    slots: ['setup g1 x1'],
    members: ['setup g1 p1 retiring since=600000 reason=setup-timeout'],
    now: 605_000,
    actions: ['kill 1 setup-timeout']
  },
  {
    name: 'in a stop it is told, and waited for within drainTimeout',
    slots: [],
    members: ['setup g1 p1 serving'],
    desired: { stopping: 'graceful' },
    actions: ['retire 1 stop']
  },
  {
    name: 'and killed after that',
    slots: [],
    members: ['setup g1 p1 retiring reason=stop'],
    desired: { stopping: 'graceful' },
    now: 90_000,
    actions: ['kill 1 drain-timeout']
  },
  {
    name: 'one that nobody waits for any more is told to end',
    slots: ['w g1 x1'],
    members: ['w g1 p1 serving', 'setup g2 p1 serving'],
    actions: ['retire 2 unwanted']
  },
  {
    name: 'in a stop a teardown is launched, and nothing else',
    slots: ['teardown g1 x1', 'w g1 x1'],
    desired: { stopping: 'graceful' },
    actions: ['launch teardown g1 p1']
  },
  {
    name: 'in a stop now nothing is',
    slots: ['teardown g1 x1'],
    members: ['teardown g1 p1 serving'],
    desired: { stopping: 'now' },
    actions: ['kill 1 stop-now']
  }
])
