export { canaries, isCanary } from './canary.ts';
export type { AccessTokenClaims, VersionVector } from './claims.ts';
export { ACCESS_TOKEN_ALGORITHMS, ACCESS_TOKEN_TYPE, MAX_ACCESS_TOKEN_LENGTH, parseClaims } from './claims.ts';
export type { Effect, EffectRule } from './effects.ts';
export { CAEP, EFFECT_RULES, effectsOf, RISC, shortType } from './effects.ts';
export type { ErrorCode, Problem } from './errors.ts';
export { CurfewError, ERRORS, kafkaRefusal, problemHeaders, problemOf, redisRefusal } from './errors.ts';
export type { JsonObject } from './json.ts';
export { encodeJson, MAX_VALUE_BYTES } from './json.ts';
export {
  CANARY_INDEX_KEY,
  indexKey,
  KEY_PREFIX,
  OUTBOX_KEY,
  positionKey,
  REDIS_URL,
  REVOCATION_INDEX_KEY,
  revocationKey,
  sessionKey,
  versionKey,
} from './keys.ts';
export type { AppliedEvent, Receipt, ReceiptPartition, ReceiptState } from './receipt.ts';
export { decodeReceipt, encodeReceipt, MAX_APPLIED, MAX_VIEW_AGE_MS, RECEIPT_STATES } from './receipt.ts';
export type { RefusalCode } from './refusal.ts';
export { refusalOf } from './refusal.ts';
export type { Application, RevocationReport, SidecarReport } from './reports.ts';
export type { Failure, ParseErrorCode, Result } from './result.ts';
export type { ScopeKey } from './scope.ts';
export {
  isScopeKey,
  partitionHash,
  partitionOf,
  REALM_ID,
  REALM_SCOPE,
  sessionOfScope,
  sessionScope,
  subjectScope,
  tenantScope,
} from './scope.ts';
export type { KafkaConnection, KafkaSecurity, RedisSecurity, Sasl, Tls } from './security.ts';
export { checkSecurity, readKafkaSecurity, readRedisSecurity, SECURITY_VARIABLES } from './security.ts';
export { isSessionId, newSessionId, renewedSessionId, SESSION_COOKIE, sessionIdHash, sidOf } from './session-id.ts';
export type { SessionEnd, SessionRecord } from './session-record.ts';
export {
  claimsOfRecord,
  decodeSessionRecord,
  encodeNewRecord,
  encodeSessionRecord,
  MAX_RECORD_BYTES,
  MAX_UX_BYTES,
  MAX_WRITTEN_BYTES,
  recordBytes,
} from './session-record.ts';
export type { SecurityEventToken } from './set.ts';
export { CONTENT_TYPE, decodeSet, parseSet } from './set.ts';
export type { ComplexSubjectId, SimpleSubjectId, Subject, SubjectId } from './subject.ts';
export { parseSubjectId, recordKeyOf, subjectOf } from './subject.ts';
export type { Tier } from './tiers.ts';
export { DEFAULT_TIER, isTier, TIERS, tierSuffices } from './tiers.ts';
export { configDifferences, DEFAULT_PARTITIONS, TOPIC_CONFIG, TOPICS } from './topics.ts';
export type { Tick, VersionRecord } from './version-record.ts';
export {
  announcedUpTo,
  decodeLogTick,
  decodeVersionRecord,
  encodeLogTick,
  encodeVersionRecord,
  TICK_KEY,
} from './version-record.ts';
