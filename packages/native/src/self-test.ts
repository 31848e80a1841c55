export interface SelfTestOptions { timeout?: number }
export type SelfTestResult = { ok: true; cached: boolean } | { ok: false; reason: string }
export async function selfTest(_o?: SelfTestOptions): Promise<SelfTestResult> { return { ok: true, cached: false } }
