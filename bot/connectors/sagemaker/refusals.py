"""What AWS says when it refuses, as one sentence that names what has to be mended; without botocore, so it is quick to load."""

import re

from bot.core.errors import ActionFailed, NotFound

FORBIDDEN = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"}
STRANGER = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
HASTE = {"RequestLimitExceeded", "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException"}
ABSENT = {"ResourceNotFound", "ResourceNotFoundException"}
MISSING = re.compile(r"could not find|not found|does not exist", re.IGNORECASE)
"""Describe answers a ValidationException, not a ResourceNotFound, where there is nothing of that name."""
LACKED = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)(?: on resource: (\S+))?")
LONGEST = 200


class AwsRefused(ActionFailed):
    """AWS answered that it will not do it, so it has done nothing; `code` is AWS's own word for why."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.code = code


class AwsSilent(ActionFailed):
    """AWS cannot be asked now, and nothing was done; it may be asked again."""


class AwsHasty(AwsRefused, AwsSilent):
    """AWS wants to be asked less often."""


class AwsMissing(AwsRefused, NotFound):
    """There is nothing of that name."""


def refused(code: str, message: str, asked: str) -> AwsRefused:
    """Return the error for an answer; `asked` is the IAM action of the call, e.g. "sagemaker:DescribeEndpoint"."""
    if code in FORBIDDEN:
        return AwsRefused(_lacking(message, asked), code)
    if code in STRANGER:
        return AwsRefused(
            f"AWS does not accept the bot's credentials ({code}); renew them, and compare its clock with the world's.",
            code,
        )
    if code in HASTE:
        return AwsHasty(f"AWS wants {asked} to be called less often ({code}); nothing was done.", code)
    said = " ".join(message.split())[:LONGEST].rstrip(".") or code
    if code in ABSENT or (code == "ValidationException" and MISSING.search(message)):
        return AwsMissing(f"AWS has no such thing: {said}; compare aiops.yaml, and its region, with AWS.", code)
    return AwsRefused(f"AWS refused {asked} ({code}): {said}.", code)


def _lacking(message: str, asked: str) -> str:
    """Name the IAM action that is missing as AWS does: that of a call may be another one, such as iam:PassRole."""
    found = LACKED.search(message)
    action, resource = (found[1], found[2]) if found else (asked, None)
    where = f" on {resource.split(':', 5)[-1].rstrip('.')}" if resource else ""
    policy = "its IAM policy (bot/connectors/README.md has one)"
    return f"AWS does not let the bot do this: its role lacks {action}{where}; add that to {policy}."
