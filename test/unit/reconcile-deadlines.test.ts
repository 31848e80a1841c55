import { table } from './cluster-kit.js'

table([
  {
    name: 'a worker that boots is looked at again at bootTimeout',
    slots: ['w g1 x1'],
    members: ['w g1 p1 launching since=1000'],
    now: 30_999,
    actions: [],
    waits: [31_000]
  },
  {
    name: 'a worker that is not ready at bootTimeout is killed, and holds its place',
    slots: ['w g1 x1'],
    members: ['w g1 p1 launching since=1000'],
    now: 31_000,
    actions: ['kill 1 boot-timeout'],
    waits: []
  },
  {
    name: 'a worker that does not serve at bootTimeout after its activation is killed',
    slots: ['w g1 x1'],
    members: ['w g1 p1 ready since=1000 activatedAt=2000 activated seen=9000'],
    now: 32_000,
    actions: ['kill 1 boot-timeout']
  },
  {
    name: 'activation has the whole of bootTimeout, however long the boot took',
    slots: ['w g1 x1'],
    members: ['w g1 p1 ready since=1000 activatedAt=20000 activated'],
    now: 49_999,
    actions: [],
    waits: [50_000]
  },
  {
    name: 'a spare may wait to be activated for as long as it takes',
    slots: ['w g1 x1 +1'],
    members: ['w g1 p1 serving', 'w g1 p2 ready since=1000'],
    now: 10_000_000,
    actions: [],
    waits: []
  },
  {
    name: 'a serving worker that is silent for hangTimeout is killed',
    slots: ['w g1 x1'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 serving seen=1000'],
    now: 6_000,
    actions: ['kill 1 hung']
  },
  {
    name: 'a serving worker is looked at again when it will have been silent for hangTimeout',
    slots: ['w g1 x1'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 serving seen=1000'],
    now: 5_999,
    actions: [],
    waits: [6_000]
  },
  {
    name: 'a silent spare is killed too, and a ready worker that is activated in vain',
    slots: ['w g1 x1 +1'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 ready activated activatedAt=5000 seen=1000', 'w g1 p2 ready seen=1000'],
    now: 6_000,
    actions: ['kill 1 hung', 'kill 2 hung']
  },
  {
    name: 'a spare steps in for a silent worker in the same step',
    slots: ['w g1 x1 +1'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 serving seen=1000', 'w g1 p2 ready seen=6000'],
    now: 6_000,
    actions: ['kill 1 hung', 'activate 2']
  },
  {
    name: 'a silent service is killed',
    slots: ['w g1 x1', 'shell g1 x1'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 serving seen=6000', 'shell g1 p1 serving seen=1000'],
    now: 6_000,
    actions: ['kill 2 hung']
  },
  {
    name: 'with hangTimeout 0 nobody is killed for silence',
    slots: ['w g1 x1'],
    desired: { hangTimeout: 0 },
    members: ['w g1 p1 serving seen=0'],
    now: 10_000_000,
    actions: [],
    waits: []
  },
  {
    name: 'a booting worker is not killed for silence, for boot may block the loop',
    slots: ['w g1 x1'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 launching'],
    now: 20_000,
    actions: [],
    waits: [30_000]
  },
  {
    name: 'a retiring worker is killed for silence as one that serves is: it finishes nothing any more',
    slots: ['w g1 x1'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 serving seen=50000', 'w g1 p1 retiring since=1000 seen=1000', 'w g1 p1 retiring seen=46000'],
    now: 50_000,
    actions: ['kill 2 hung'],
    waits: [51_000]
  },
  {
    name: 'a retiring worker has drainTimeout and five seconds of grace',
    slots: ['w g1 x1'],
    members: ['w g1 p1 serving', 'w g1 p1 retiring since=1000'],
    now: 95_999,
    actions: [],
    waits: [96_000]
  },
  {
    name: 'a retiring worker is killed after drainTimeout and its grace',
    slots: ['w g1 x1'],
    members: ['w g1 p1 serving', 'w g1 p1 retiring since=1000'],
    now: 96_000,
    actions: ['kill 2 drain-timeout']
  },
  {
    name: 'of several deadlines the next is told',
    slots: ['w g1 x2'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 serving seen=4000', 'w g1 p2 launching since=1000', 'w g1 p3 retiring since=0 seen=5000'],
    now: 5_000,
    actions: [],
    waits: [9_000]
  },
  {
    name: 'one that is killed has no deadline any more',
    slots: ['w g1 x1'],
    members: ['w g1 p1 launching killed'],
    now: 50_000,
    actions: [],
    waits: []
  },
  {
    name: 'a worker killed for silence is no capacity for another to retire on in the same step',
    slots: ['w g2 x2'],
    desired: { hangTimeout: 5_000 },
    members: ['w g1 p1 serving seen=6000', 'w g2 p1 serving seen=6000', 'w g2 p2 serving seen=1000'],
    now: 6_000,
    actions: ['kill 3 hung']
  },
  {
    name: 'up to maxRetiring drain in a place undisturbed',
    slots: ['w g3 x1'],
    members: ['w g1 p1 retiring', 'w g2 p1 retiring', 'w g3 p1 serving'],
    actions: []
  },
  {
    name: 'beyond maxRetiring the oldest of the place closes its idle connections',
    slots: ['w g4 x1'],
    members: ['w g1 p1 retiring', 'w g2 p1 retiring', 'w g3 p1 retiring', 'w g4 p1 serving'],
    actions: ['hurry 1']
  },
  {
    name: 'one that was hurried is not hurried again, and the next oldest is',
    slots: ['w g4 x1'],
    desired: { maxRetiring: 1 },
    members: ['w g1 p1 retiring hurried', 'w g2 p1 retiring', 'w g3 p1 retiring', 'w g4 p1 serving'],
    actions: ['hurry 2']
  },
  {
    name: 'maxRetiring counts each place by itself',
    slots: ['w g3 x2'],
    members: [
      'w g1 p1 retiring',
      'w g1 p2 retiring',
      'w g2 p1 retiring',
      'w g2 p2 retiring',
      'w g3 p1 serving',
      'w g3 p2 serving'
    ],
    actions: []
  },
  {
    name: 'services are not hurried',
    slots: ['w g1 x1', 'shell g4 x1'],
    members: ['w g1 p1 serving', ...[1, 2, 3].map((g) => `shell g${g} p1 retiring`), 'shell g4 p1 serving'],
    actions: []
  }
])
