import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import type { ErrorCode } from '#contracts';
import { PROBLEM_CONTENT_TYPE, STATUS_TABLE } from '../errors';
import { ProblemView } from './problem.view';

/** What every guarded request may be answered with. */
const STANDING_ERRORS: readonly ErrorCode[] = [
  'invalid_request',
  'token_missing',
  'token_malformed',
  'token_expired',
  'token_unknown_key',
  'token_bad_signature',
  'namespace_denied',
  'operation_denied',
  'region_not_allowed',
  'rate_limited',
  'no_leader',
  'draining',
  'internal',
  'timeout',
];

/** A query parameter or a header of a request, with an example that the server takes. */
export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly type?: 'string' | 'integer' | 'boolean';
  readonly example?: string | number | boolean;
}

/** The namespace in a path. */
export const NAMESPACE: Parameter = {
  name: 'ns',
  description: 'Namespace, percent-encoded as one segment',
  example: 'agent://demo',
};
const ID: Parameter = { name: 'id', description: 'Id of the object', example: 'task-1' };

export interface RouteDescription {
  readonly summary: string;
  readonly status: 200 | 204;
  /** What a `200` answers: an object of this class, or with `isArray` several. */
  readonly answer?: Type<unknown>;
  readonly isArray?: boolean;
  readonly contentType?: string;
  readonly body?: Type<unknown>;
  /** In the place of a body of plain JSON: a merge patch, or a list of the operations of a JSON Patch. */
  readonly patches?: { readonly merge: Type<unknown>; readonly json: Type<unknown> };
  readonly hasId?: boolean;
  /** What stands in the path, in the place of the namespace and the id. */
  readonly path?: readonly Parameter[];
  readonly query?: readonly Parameter[];
  readonly headers?: readonly Parameter[];
  /** Codes beside those that every request has. */
  readonly errors?: readonly ErrorCode[];
}

/** Documents a route of the API: one decorator a route keeps the controllers readable. */
export function Describe(route: RouteDescription): MethodDecorator {
  return applyDecorators(
    ApiOperation({
      summary: route.summary,
      ...(route.patches ? { requestBody: patchBody(route.patches) } : {}),
    }),
    ApiExtraModels(
      ProblemView,
      ...(route.answer ? [route.answer] : []),
      ...(route.patches ? Object.values(route.patches) : []),
    ),
    ...(route.path ?? (route.hasId ? [NAMESPACE, ID] : [NAMESPACE])).map(
      ({ type = 'string', example, ...parameter }) => ApiParam({ ...parameter, schema: { type, example } }),
    ),
    ...(route.body ? [ApiBody({ type: route.body })] : []),
    ...(route.query ?? []).map(({ type = 'string', example, ...parameter }) =>
      ApiQuery({ ...parameter, required: false, schema: { type, example } }),
    ),
    ...(route.headers ?? []).map(({ type = 'string', example, ...header }) =>
      ApiHeader({ ...header, required: false, schema: { type, example } }),
    ),
    ...answersOf(route),
  );
}

function patchBody({ merge, json }: Required<RouteDescription>['patches']) {
  const items = { $ref: getSchemaPath(json) };
  return {
    required: true,
    content: {
      'application/merge-patch+json': { schema: { $ref: getSchemaPath(merge) } },
      'application/json-patch+json': { schema: { type: 'array', items } },
    },
  };
}

function answersOf(route: RouteDescription): MethodDecorator[] {
  const schema = route.answer
    ? route.isArray
      ? { type: 'array', items: { $ref: getSchemaPath(route.answer) } }
      : { $ref: getSchemaPath(route.answer) }
    : { type: 'string' };
  const content = { [route.contentType ?? 'application/json']: { schema } };
  const success = ApiResponse({
    status: route.status,
    description: 'Done',
    ...(route.status === 204 ? {} : { content }),
  });
  const codesByStatus = new Map<number, string[]>();
  for (const code of [...STANDING_ERRORS, ...(route.errors ?? [])]) {
    const { status } = STATUS_TABLE[code];
    codesByStatus.set(status, [...(codesByStatus.get(status) ?? []), code]);
  }
  const failures = [...codesByStatus].map(([status, codes]) =>
    ApiResponse({
      status,
      description: codes.join(', '),
      content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: getSchemaPath(ProblemView) } } },
    }),
  );
  return [success, ...failures];
}
