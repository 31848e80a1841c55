import { table } from './cluster-kit.js'

const worker = 'w g2 p1 serving'

table([
  {
    name: 'a service of the new generation is launched beside the old one',
    slots: ['w g2 x1', 'shell g2 x1'],
    members: [worker, 'shell g1 p1 serving'],
    actions: ['launch shell g2 p1']
  },
  {
    name: 'an old service stays while its successor boots',
    slots: ['w g2 x1', 'shell g2 x1'],
    members: [worker, 'shell g1 p1 serving', 'shell g2 p1 ready activated'],
    actions: []
  },
  {
    name: 'a ready service is activated beside the old one',
    slots: ['w g2 x1', 'shell g2 x1'],
    members: [worker, 'shell g1 p1 serving', 'shell g2 p1 ready'],
    actions: ['activate 3']
  },
  {
    name: 'an old service retires once its successor serves',
    slots: ['w g2 x1', 'shell g2 x1'],
    members: [worker, 'shell g1 p1 serving', 'shell g2 p1 serving'],
    actions: ['retire 2 reload']
  },
  {
    name: 'an old service stays while its successor crashes and backs off',
    slots: ['w g2 x1', 'shell g2 x1'],
    members: [worker, 'shell g1 p1 serving'],
    notBefore: { 'shell g2 p1': 800 },
    actions: [],
    waits: [800]
  },
  {
    name: 'of a service with two processes one is replaced at a time',
    slots: ['w g2 x1', 'jobs g2 x2'],
    members: [worker, 'jobs g1 p1 serving', 'jobs g1 p2 serving', 'jobs g2 p1 serving'],
    actions: ['retire 2 reload', 'launch jobs g2 p2']
  },
  {
    name: 'of a service with two processes, one that was asked to leave waits for its own replacement',
    slots: ['w g2 x1', 'jobs g2 x2'],
    members: [worker, 'jobs g2 p1 serving stale', 'jobs g2 p2 serving'],
    actions: ['launch jobs g2 p1']
  },
  {
    name: 'the successor of one service is none of another',
    slots: ['w g2 x1', 'jobs g2 x1', 'shell g2 x1'],
    members: [worker, 'shell g1 p1 serving', 'jobs g2 p1 serving', 'shell g2 p1 launching'],
    actions: []
  },
  {
    name: 'a service whose slot is gone leaves at once',
    slots: ['w g2 x1'],
    members: [worker, 'shell g1 p1 serving'],
    actions: ['retire 2 reload']
  },
  {
    name: 'a service of a generation that is not wanted any more is killed in boot',
    slots: ['w g2 x1', 'shell g1 x1'],
    members: [worker, 'shell g1 p1 serving', 'shell g2 p1 launching'],
    actions: ['kill 3 unwanted']
  },
  {
    name: 'a service that was asked to leave waits for its replacement',
    slots: ['w g2 x1', 'shell g2 x1'],
    members: [worker, 'shell g2 p1 serving stale'],
    actions: ['launch shell g2 p1']
  },
  {
    name: 'the successor of a service that runs alone is launched beside it',
    slots: ['w g2 x1', 'jobs g2 x1 alone'],
    members: [worker, 'jobs g1 p1 serving'],
    actions: ['launch jobs g2 p1']
  },
  {
    name: 'a service that runs alone stays while its successor boots',
    slots: ['w g2 x1', 'jobs g2 x1 alone'],
    members: [worker, 'jobs g1 p1 serving', 'jobs g2 p1 launching'],
    actions: []
  },
  {
    name: 'a service that runs alone goes as soon as its successor is ready, which waits',
    slots: ['w g2 x1', 'jobs g2 x1 alone'],
    members: [worker, 'jobs g1 p1 serving', 'jobs g2 p1 ready'],
    actions: ['retire 2 reload']
  },
  {
    name: 'a successor waits until the one before it has finished',
    slots: ['w g2 x1', 'jobs g2 x1 alone'],
    members: [worker, 'jobs g1 p1 retiring', 'jobs g2 p1 ready'],
    actions: []
  },
  {
    name: 'a successor waits until the one before it is gone that was killed',
    slots: ['w g2 x1', 'jobs g2 x1 alone'],
    members: [worker, 'jobs g1 p1 retiring killed', 'jobs g2 p1 ready'],
    actions: []
  },
  {
    name: 'when the one before it is gone, a successor begins',
    slots: ['w g2 x1', 'jobs g2 x1 alone'],
    members: [worker, 'jobs g2 p1 ready'],
    actions: ['activate 2']
  },
  {
    name: 'of two that run alone each begins when one of those before has gone',
    slots: ['w g2 x1', 'jobs g2 x2 alone'],
    members: [worker, 'jobs g1 p1 retiring', 'jobs g2 p1 ready', 'jobs g2 p2 ready'],
    actions: ['activate 3']
  },
  {
    name: 'one that is ready and of no wanted generation is no successor',
    slots: ['w g3 x1', 'jobs g3 x1 alone'],
    members: ['w g3 p1 serving', 'jobs g1 p1 serving', 'jobs g2 p1 ready', 'jobs g3 p1 launching'],
    actions: ['retire 3 reload']
  },
  {
    name: 'a service that runs alone and was asked to leave goes when its replacement is ready',
    slots: ['w g2 x1', 'jobs g2 x1 alone'],
    members: [worker, 'jobs g2 p1 serving stale', 'jobs g2 p1 ready'],
    actions: ['retire 2 signal']
  },
  {
    name: 'a service does not count as a worker that serves',
    slots: ['w g2 x1', 'shell g2 x1'],
    members: ['w g1 p1 serving', 'shell g2 p1 serving', 'w g2 p1 launching'],
    actions: []
  },
  {
    name: 'a service that leaves and is silent for hangTimeout is killed: its successor waits for it',
    slots: ['w g2 x1', 'jobs g2 x1 alone'],
    desired: { hangTimeout: 5_000 },
    members: ['w g2 p1 serving seen=9000', 'jobs g1 p1 retiring seen=4000', 'jobs g2 p1 ready seen=9000'],
    now: 9_000,
    actions: ['kill 2 hung']
  }
])
