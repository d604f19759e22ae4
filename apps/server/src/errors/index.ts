export { MethodNotAllowed, PROBLEM_CONTENT_TYPE, invalidField, problemOf } from './problem';
export { ProblemFilter } from './problem.filter';
export { stateErrorOf } from './state-error-of';
export { STATUS_TABLE } from './status-table';
