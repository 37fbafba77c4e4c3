"""The exceptions of openai for Python, for the lanes whose SDK raises them."""

import openai

ERRORS = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    413: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    **dict.fromkeys((500, 502, 503, 504), openai.InternalServerError),
    "connection": openai.APIConnectionError,
    "timeout": openai.APITimeoutError,
    "stream": openai.APIError,
    "retried": {429: openai.RateLimitError, 503: openai.InternalServerError},
}


def shown(error):
    """What an error of the SDK shows of the answer; an error event in a stream has neither status nor id."""
    about = {"message": error.message, "code": error.code}
    if isinstance(error, openai.APIStatusError):
        about |= {"status": error.status_code, "request_id": error.request_id}
    return about
