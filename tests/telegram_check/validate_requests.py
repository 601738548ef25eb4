"""Holds requests against aiogram's models of the Bot API.

Reads JSON lines {"method": "sendMessage", "params": {...}} from stdin. Exit status 1, and a line per fault, where a method is
unknown, a parameter has the wrong type or is missing, or (at any depth) a field exists that the Bot API doesn't have.
"""

import inspect
import json
import sys

import aiogram.methods
from aiogram.methods.base import TelegramMethod
from aiogram.types import ForceReply, InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove
from pydantic import BaseModel, ValidationError

METHODS = {
    cls.__api_method__.lower(): cls
    for _, cls in inspect.getmembers(aiogram.methods, inspect.isclass)
    if issubclass(cls, TelegramMethod) and cls is not TelegramMethod
}
# What a keyboard object is, told by the field that only it has.
MARKUPS = {
    "inline_keyboard": InlineKeyboardMarkup,
    "keyboard": ReplyKeyboardMarkup,
    "remove_keyboard": ReplyKeyboardRemove,
    "force_reply": ForceReply,
}


def unknown_fields(value, path):
    """The fields that a model took only because aiogram's models take anything."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}: no such field in the Bot API"
        for name in value.model_fields_set & set(type(value).model_fields):
            yield from unknown_fields(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from unknown_fields(item, f"{path}[{index}]")


def validated(model, value, path):
    try:
        yield from unknown_fields(model.model_validate(value), path)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            where = ".".join([path, *map(str, fault["loc"])])
            yield f"{where}: {fault['msg']} (given: {fault['input']!r})"


def keyboard_faults(markup, path):
    """The union of keyboards takes the first model that fits; here each is held against its own."""
    if not isinstance(markup, dict):
        yield f"{path}: a keyboard must be an object, not {markup!r}"
        return
    model = next((model for field, model in MARKUPS.items() if field in markup), None)
    if model is None:
        yield f"{path}: no kind of keyboard has the fields {sorted(markup)}"
        return
    yield from validated(model, markup, path)
    for row in markup.get("inline_keyboard", []):
        for button in row if isinstance(row, list) else []:
            kinds = set(button) - {"text", "style", "icon_custom_emoji_id"}
            if len(kinds) != 1:
                yield f"{path}: button {button.get('text')!r} must do exactly one thing, not {sorted(kinds)}"
            data = button.get("callback_data")
            if data is not None and not 1 <= len(str(data).encode()) <= 64:
                yield f"{path}: callback_data of {button.get('text')!r} must have 1 to 64 bytes"


def faults(request):
    method, params = request["method"], dict(request["params"])
    model = METHODS.get(method.lower())
    if model is None:
        yield f"{method}: aiogram knows no such method"
        return
    if "reply_markup" in params:
        yield from keyboard_faults(params.pop("reply_markup"), f"{method}.reply_markup")
    yield from validated(model, params, method)


def main():
    count, bad = 0, 0
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        count += 1
        request = json.loads(line)
        found = list(dict.fromkeys(faults(request)))
        for fault in found:
            print(f"request {number}: {fault}", file=sys.stderr)
        if found:
            print(f"    {json.dumps(request, ensure_ascii=False)}", file=sys.stderr)
            bad += 1
    print(f"{count} requests, {bad} of them not as the Bot API has it", file=sys.stderr)
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(main())
