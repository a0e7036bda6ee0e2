import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { KafkaConnection, Sasl } from '@curfew/contracts';
import { createKafka } from '@curfew/publisher';
import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka';
import kafkajs, { type AclEntry } from 'kafkajs';
import { startKafka } from '../../infra/local/kafka.mjs';
import { inRoot } from '../../infra/local/paths.mjs';
import { freePorts } from '../../infra/local/ports.mjs';
import { authority, type Pair, signedBy } from './certificates.ts';

/** The users of infra/kafka/acls.txt, and one without a right. */
const KAFKA_USERS = ['identity-publisher', 'session-service', 'sidecar', 'operator', 'nobody'] as const;
export type KafkaUser = (typeof KAFKA_USERS)[number];

const passwordOf = (user: string): string => `kafka-password-of-${user}`;

/** A Kafka that takes nobody without a password or a certificate, and lets each do only what infra/kafka/acls.txt says. */
export interface SecuredKafka {
  readonly ca: Pair;
  /** By SASL over TLS. */
  as(user: KafkaUser, mechanism?: Sasl['mechanism']): Required<KafkaConnection>;
  /** By the client's certificate alone. */
  withCertificate(pair: Partial<Pair>): KafkaConnection;
  /** Without one, at a listener whose own has expired, or is for another address. */
  readonly expired: KafkaConnection;
  readonly misnamed: KafkaConnection;
  /** Takes the right to write a topic from a user, whatever infra/kafka/acls.txt says, until it is called off. */
  denyWrite(user: KafkaUser, topic: string): Promise<{ callOff(): Promise<void> }>;
  /** As one who may do everything, at a door that is not for others. */
  readonly admin: KafkaConnection;
  stop(): Promise<void>;
}

export async function startSecuredKafka(directory: string): Promise<SecuredKafka> {
  const [admin = 0, sasl = 0, mtls = 0, expired = 0, misnamed = 0] = await freePorts(5);
  const ca = await authority();
  const [good, old, other] = await Promise.all([
    signedBy(ca, 'localhost'),
    signedBy(ca, 'localhost', -1),
    signedBy(ca, 'elsewhere', 1, '127.0.0.9'),
  ]);
  const pem = (name: string, ...texts: string[]) => {
    writeFileSync(`${directory}/${name}.pem`, texts.join('\n'));
    return `${directory}/${name}.pem`;
  };
  const keystore = pem('broker', good.key, good.cert);
  const kafka = await startKafka({
    port: admin,
    directory,
    listeners: { SASL: sasl, MTLS: mtls, EXPIRED: expired, MISNAMED: misnamed },
    settings: `
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MTLS:SSL,EXPIRED:SSL,MISNAMED:SSL
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
# Who comes without a name has come by the door that is for the broker itself and for the tests' setup.
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location=${keystore}
ssl.truststore.type=PEM
ssl.truststore.location=${pem('authority', ca.cert)}
ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/
listener.name.mtls.ssl.client.auth=required
listener.name.expired.ssl.keystore.type=PEM
listener.name.expired.ssl.keystore.location=${pem('expired', old.key, old.cert)}
listener.name.misnamed.ssl.keystore.type=PEM
listener.name.misnamed.ssl.keystore.location=${pem('misnamed', other.key, other.cert)}
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${KAFKA_USERS.map((user) => `user_${user}="${passwordOf(user)}"`).join(' ')};
`,
  });
  const at = (port: number) => [`127.0.0.1:${port}`];
  try {
    await addUsers(admin);
    await grant({ brokers: at(admin) });
  } catch (error) {
    await kafka.stop();
    throw error;
  }
  const tls = { ca: ca.cert };
  return {
    ca,
    as: (username, mechanism = 'SCRAM-SHA-512') => ({
      brokers: at(sasl),
      tls,
      sasl: { mechanism, username, password: passwordOf(username) },
    }),
    withCertificate: (pair) => ({ brokers: at(mtls), tls: { ...tls, ...pair } }),
    expired: { brokers: at(expired), tls },
    misnamed: { brokers: at(misnamed), tls },
    denyWrite: async (user, topic) => {
      const connection = createKafka({ brokers: at(admin), clientId: 'secured-kafka' }).admin();
      await connection.connect();
      const acl = { ...RIGHT, principal: `User:${user}`, resourceName: topic, operation: AclOperationTypes.WRITE };
      await connection.createAcls({ acl: [{ ...acl, permissionType: AclPermissionTypes.DENY }] });
      const callOff = async () => {
        await connection.deleteAcls({ filters: [{ ...acl, permissionType: AclPermissionTypes.DENY }] });
        await connection.disconnect();
      };
      return { callOff };
    },
    admin: { brokers: at(admin) },
    stop: kafka.stop,
  };
}

const ITERATIONS = 4096;
/** As Kafka numbers them. */
const SCRAM = [
  { mechanism: 1, hash: 'sha256', bytes: 32 },
  { mechanism: 2, hash: 'sha512', bytes: 64 },
];

async function addUsers(port: number): Promise<void> {
  const connection = new Connection('secured-kafka');
  await connection.connect('127.0.0.1', port);
  // A request alters each user once at the most.
  for (const { mechanism, hash, bytes } of SCRAM) {
    const credentials = KAFKA_USERS.map((name) => {
      const salt = randomBytes(16);
      const saltedPassword = pbkdf2Sync(passwordOf(name), salt, ITERATIONS, bytes, hash);
      return { name, mechanism, iterations: ITERATIONS, salt, saltedPassword };
    });
    await alterUserScramCredentialsV0.api.async(connection, [], credentials);
  }
  await connection.close();
}

/** Grants what infra/kafka/acls.txt says, as kafka-acls.sh would. */
async function grant(kafka: KafkaConnection): Promise<void> {
  const admin = createKafka({ ...kafka, clientId: 'secured-kafka' }).admin();
  await admin.connect();
  await admin.createAcls({ acl: rights() });
  await admin.disconnect();
}

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
/** What all of them have in common, but for the one of a group. */
const RIGHT = {
  resourceType: AclResourceTypes.TOPIC,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  host: '*',
};

function rights(): AclEntry[] {
  const lines = readFileSync(inRoot('infra/kafka/acls.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.flatMap((line) => {
    const { values } = parseArgs({
      args: line.split(' '),
      options: {
        add: { type: 'boolean' },
        'allow-principal': { type: 'string' },
        operation: { type: 'string', multiple: true },
        topic: { type: 'string', multiple: true, default: [] },
        group: { type: 'string', multiple: true, default: [] },
      },
    });
    const resources = [
      ...values.topic.map((resourceName) => ({ ...RIGHT, resourceName })),
      ...values.group.map((resourceName) => ({ ...RIGHT, resourceName, resourceType: AclResourceTypes.GROUP })),
    ];
    return resources.flatMap((resource) =>
      (values.operation ?? []).map((name) => ({
        ...resource,
        principal: values['allow-principal'] ?? '',
        // Its names have words in capitals, divided by lines.
        operation:
          AclOperationTypes[
            name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() as keyof typeof AclOperationTypes
          ],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    );
  });
}
