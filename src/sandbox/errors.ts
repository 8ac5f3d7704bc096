import type { FastifyInstance } from 'fastify';

interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/**
 * Error responses of the provider, with the exact texts of its documentation wherever the documentation has
 * them. The provider's error codes mix three spellings.
 */
export const PROVIDER_ERRORS = {
  clientIdMissing: {
    status: 400,
    type: 'validation_error',
    code: 'x-client-id_missing',
    message: 'x-client-id is missing in the request.',
  },
  clientSecretMissing: {
    status: 400,
    type: 'validation_error',
    code: 'x-client-secret_missing',
    message: 'x-client-secret is missing in the request.',
  },
  authenticationFailed: {
    status: 401,
    type: 'authentication_error',
    code: 'authentication_failed',
    message: 'Invalid clientId and clientSecret combination',
  },
  templateUnknown: {
    status: 400,
    type: 'validation_error',
    code: 'Bad request, please check API documentation',
    message: 'template name should be valid',
  },
  userNotNamed: {
    status: 400,
    type: 'validation_error',
    code: 'invalid_request',
    message: 'Provide user_id or user_reference_id',
  },
  verificationNotNamed: {
    status: 400,
    type: 'validation_error',
    code: 'invalid_request',
    message: 'Provide verificationID or referenceID',
  },
  phoneImmutable: {
    status: 400,
    type: 'validation_error',
    code: 'phone_value_invalid',
    message: 'phone cannot be updated.',
  },
  userUnknown: {
    status: 404,
    type: 'not_found_error',
    code: 'Resource not found',
    message: 'No data found',
  },
  verificationUnknown: {
    status: 404,
    type: 'not_found_error',
    code: 'referenceId_not_found',
    message: 'No data found',
  },
  pathUnknown: {
    status: 404,
    type: 'not_found_error',
    code: 'Resource not found',
    message: 'No such path',
  },
  userIdTaken: {
    status: 409,
    type: 'validation_error',
    code: 'user_id_already_exists',
    message: 'user id already exists',
  },
  verificationIdTaken: {
    status: 409,
    type: 'validation_error',
    code: 'verification_id_already_exists',
    message: 'verification id already exists',
  },
  insufficientBalance: {
    status: 422,
    type: 'validation_error',
    code: 'insufficient_balance',
    message: 'Insufficient balance to process this request',
  },
  tooManyRequests: {
    status: 429,
    type: 'rate_limit_error',
    code: 'too_many_requests_per_operation',
    message: 'Too many requests for this operation',
  },
  apiError: {
    status: 500,
    type: 'internal_error',
    code: 'api_error',
    message: 'something went wrong',
  },
  requestFailed: {
    status: 502,
    type: 'internal_error',
    code: 'request_failed',
    message: 'something went wrong',
  },
  gatewayTimeout: {
    status: 504,
    type: 'internal_error',
    code: 'request_failed',
    message: 'the request took too long',
  },
} as const satisfies Record<string, Refusal>;

/** Error with which the sandbox answers a call. The answer has the form of the provider's errors. */
export class ApiError extends Error {
  constructor(
    readonly refusal: Refusal,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(refusal.message);
  }
}

export const createApiError = (
  name: keyof typeof PROVIDER_ERRORS,
  headers?: Record<string, string>,
): ApiError => new ApiError(PROVIDER_ERRORS[name], headers);

/** Returns the error for one invalid field of a request. */
export const createApiFieldError = (
  field: string,
  flaw: 'missing' | 'value_invalid' | 'length_exceeded',
  message: string,
): ApiError => new ApiError({ status: 400, type: 'validation_error', code: `${field}_${flaw}`, message });

export const toErrorBody = ({ type, code, message }: Refusal) => ({ type, code, message });

/** Makes the server send every error in the provider's form: `{type, code, message}`. */
export function answerErrorsAsTheProvider(app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof ApiError)
      return reply.status(error.refusal.status).headers(error.headers).send(toErrorBody(error.refusal));
    if ((error.statusCode ?? 500) < 500) {
      const { message } = error;
      return reply.status(400).send({ type: 'validation_error', code: 'invalid_request', message });
    }
    return reply.status(500).send(toErrorBody(PROVIDER_ERRORS.apiError));
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.status(PROVIDER_ERRORS.pathUnknown.status).send(toErrorBody(PROVIDER_ERRORS.pathUnknown)),
  );
}
