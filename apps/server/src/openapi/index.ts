export { Describe, type Parameter } from './describe';
export { registerOpenApi } from './register-open-api';
