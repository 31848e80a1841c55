import { table } from './cluster-kit.js'

const many = (count: number, text: string) =>
  Array.from({ length: count }, (_, at) => text.replace('*', String(at + 1)))

table([
  {
    name: 'at the start every place is launched at once, with no regard to surge',
    slots: ['w g1 x3'],
    actions: ['launch w g1 p1', 'launch w g1 p2', 'launch w g1 p3']
  },
  {
    name: 'at the start spares are launched too, in the places after the workers',
    slots: ['w g1 x2 +1'],
    actions: ['launch w g1 p1', 'launch w g1 p2', 'launch w g1 p3']
  },
  {
    name: 'services are launched beside the workers and take none of their room',
    slots: ['w g1 x1', 'shell g1 x1', 'jobs g1 x2'],
    actions: ['launch w g1 p1', 'launch shell g1 p1', 'launch jobs g1 p1', 'launch jobs g1 p2']
  },
  {
    name: 'what is complete needs nothing',
    slots: ['w g1 x2 +1', 'shell g1 x1'],
    members: ['w g1 p1 serving', 'w g1 p2 serving', 'w g1 p3 ready', 'shell g1 p1 serving'],
    actions: [],
    waits: []
  },
  {
    name: 'the place of a crashed worker is launched again, and no other',
    slots: ['w g1 x3'],
    members: ['w g1 p1 serving', 'w g1 p3 serving'],
    actions: ['launch w g1 p2']
  },
  {
    name: 'with every worker dead all are launched at once',
    slots: ['w g1 x4'],
    actions: many(4, 'launch w g1 p*')
  },
  {
    name: 'a place that failed waits for the end of its back-off, and it is said when that is',
    slots: ['w g1 x3'],
    members: ['w g1 p1 serving'],
    notBefore: { 'w g1 p2': 500, 'w g1 p3': 300 },
    now: 100,
    actions: [],
    waits: [300]
  },
  {
    name: 'the back-off of one place does not hold another up',
    slots: ['w g1 x3'],
    members: ['w g1 p2 serving'],
    notBefore: { 'w g1 p1': 500 },
    now: 100,
    actions: ['launch w g1 p3'],
    waits: [500]
  },
  {
    name: 'at the end of its back-off, to the millisecond, a place is launched',
    slots: ['w g1 x1'],
    notBefore: { 'w g1 p1': 500 },
    now: 500,
    actions: ['launch w g1 p1'],
    waits: []
  },
  {
    name: 'a place that backs off is not evaded by launching in another',
    slots: ['w g1 x2'],
    members: ['w g1 p3 serving'],
    notBefore: { 'w g1 p1': 500 },
    actions: []
  },
  {
    name: 'services back off as well',
    slots: ['w g1 x1', 'shell g1 x1'],
    members: ['w g1 p1 serving'],
    notBefore: { 'shell g1 p1': 700 },
    actions: [],
    waits: [700]
  },
  {
    name: 'a killed worker holds its place until it is gone',
    slots: ['w g1 x2'],
    members: ['w g1 p1 serving', 'w g1 p2 serving killed'],
    actions: []
  },
  {
    name: 'a worker killed in boot holds its place until it is gone',
    slots: ['w g1 x2'],
    members: ['w g1 p1 serving', 'w g1 p2 launching killed'],
    actions: [],
    waits: []
  },
  {
    name: 'a killed one that was retiring holds none',
    slots: ['w g1 x1'],
    members: ['w g1 p1 retiring killed'],
    actions: ['launch w g1 p1']
  },
  {
    name: 'a retiring worker holds no place',
    slots: ['w g1 x2'],
    members: ['w g1 p1 retiring', 'w g1 p2 serving'],
    actions: ['launch w g1 p1']
  },
  {
    name: 'scaled up, the new places are launched at once',
    slots: ['w g1 x4'],
    members: ['w g1 p1 serving', 'w g1 p2 serving'],
    actions: ['launch w g1 p3', 'launch w g1 p4']
  },
  {
    name: 'scaled up while a worker of before is still leaving, it does not count',
    slots: ['w g1 x2'],
    members: ['w g1 p1 serving', 'w g1 p2 retiring'],
    actions: ['launch w g1 p2']
  },
  {
    name: 'scaled down, the newest retire and the oldest stay',
    slots: ['w g1 x2'],
    members: many(4, 'w g1 p* serving'),
    actions: ['retire 3 scale-down', 'retire 4 scale-down']
  },
  {
    name: 'scaled down in boot, those in boot go before those that serve',
    slots: ['w g1 x2'],
    members: ['w g1 p1 launching', 'w g1 p2 ready', 'w g1 p3 serving', 'w g1 p4 serving'],
    actions: ['kill 1 unwanted', 'retire 2 scale-down']
  },
  {
    name: 'scaled down, workers that are needed for capacity stay until others serve',
    slots: ['w g1 x2'],
    members: ['w g1 p1 launching', 'w g1 p2 launching', 'w g1 p3 launching', 'w g1 p4 serving'],
    actions: ['kill 2 unwanted', 'kill 3 unwanted']
  },
  {
    name: 'after scaling down, a place within the count is launched though the survivors have higher ones',
    slots: ['w g1 x2'],
    members: ['w g1 p4 serving'],
    actions: ['launch w g1 p1']
  },
  {
    name: 'a ready worker is activated, as many as the slot counts',
    slots: ['w g1 x2 +1'],
    members: many(3, 'w g1 p* ready'),
    actions: ['activate 1', 'activate 2']
  },
  {
    name: 'one that is activated already is not activated again',
    slots: ['w g1 x2'],
    members: ['w g1 p1 ready activated', 'w g1 p2 ready'],
    actions: ['activate 2']
  },
  {
    name: 'a spare is held back while the count serves or is about to',
    slots: ['w g1 x2 +1'],
    members: ['w g1 p1 serving', 'w g1 p2 ready activated', 'w g1 p3 ready'],
    actions: []
  },
  {
    name: 'a spare steps in at once for a crashed worker, whose place becomes the spare',
    slots: ['w g1 x2 +1'],
    members: ['w g1 p1 serving', 'w g1 p3 ready'],
    actions: ['activate 2', 'launch w g1 p2']
  },
  {
    name: 'a spare steps in while the place that crashed backs off',
    slots: ['w g1 x2 +1'],
    members: ['w g1 p1 serving', 'w g1 p3 ready'],
    notBefore: { 'w g1 p2': 900 },
    actions: ['activate 2'],
    waits: [900]
  },
  {
    name: 'a spare steps in for a worker that is being killed',
    slots: ['w g1 x2 +1'],
    members: ['w g1 p1 serving', 'w g1 p2 serving killed', 'w g1 p3 ready'],
    actions: ['activate 3']
  },
  {
    name: 'a spare steps in for a worker that was asked to leave, before that one retires',
    slots: ['w g1 x2 +1'],
    members: ['w g1 p1 serving', 'w g1 p2 serving stale', 'w g1 p3 ready'],
    actions: ['activate 3', 'launch w g1 p2']
  },
  {
    name: 'a spare too many retires at once, since it serves nobody',
    slots: ['w g1 x1'],
    members: ['w g1 p1 serving', 'w g1 p2 ready'],
    actions: ['retire 2 scale-down']
  },
  {
    name: 'a spare too many that still boots is killed',
    slots: ['w g1 x1'],
    members: ['w g1 p1 serving', 'w g1 p2 launching'],
    actions: ['kill 2 unwanted']
  },
  {
    name: 'what is being killed already is not killed again',
    slots: ['w g1 x1'],
    members: ['w g1 p1 serving', 'w g1 p2 launching killed'],
    actions: []
  }
])
