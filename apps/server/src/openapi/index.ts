export { Describe, NAMESPACE, type Parameter } from './describe';
export { registerOpenApi } from './register-open-api';
