export { NatsBus, type NatsBusOptions, type NatsCredentials, type NatsLogger } from './nats-bus';
