"""A small, ordinary aiogram bot. FakeTelegram must serve it as Telegram would.

    python echo_bot.py URL TOKEN            long polling
    python echo_bot.py URL TOKEN --webhook  a webhook of its own on a free port of loopback

It knows nothing of the fake: URL is what a self-hosted Bot API server would be. It ends on SIGTERM.
"""

import asyncio
import sys

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter
from aiogram.filters import Command, CommandStart
from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    ChatMemberUpdated,
    ErrorEvent,
    InlineKeyboardButton,
    Message,
    ReplyParameters,
)
from aiogram.utils.keyboard import InlineKeyboardBuilder
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

SECRET = "aiogram-webhook-secret"
router = Router()


class Decision(CallbackData, prefix="decision"):
    yes: bool


@router.message(CommandStart(deep_link=True))
async def paired(message: Message, command):
    await message.answer(f"paired by {command.args}")


@router.message(CommandStart())
async def start(message: Message):
    keyboard = InlineKeyboardBuilder()
    keyboard.row(
        InlineKeyboardButton(text="Yes", callback_data=Decision(yes=True).pack()),
        InlineKeyboardButton(text="No", callback_data=Decision(yes=False).pack(), style="danger"),
    )
    await message.answer("Shall I?", reply_markup=keyboard.as_markup())


@router.callback_query(Decision.filter())
async def decided(query: CallbackQuery, callback_data: Decision):
    word = "yes" if callback_data.yes else "no"
    await query.message.edit_text(f"{query.from_user.first_name} said {word}")
    await query.answer(f"Noted: {word}", show_alert=not callback_data.yes)
    try:
        await query.message.edit_text(f"{query.from_user.first_name} said {word}")
    except TelegramBadRequest as error:
        assert "message is not modified" in error.message, error


@router.callback_query()
async def forged(query: CallbackQuery):
    await query.answer("I don't know this button")


@router.message(Command("file"))
async def file(message: Message):
    document = BufferedInputFile(b"a,b\n1,2\n", filename="table.csv")
    await message.answer_document(document, caption="The table", disable_notification=True)


@router.message(Command("patience"))
async def patience(message: Message):
    """Obeys a 429."""
    try:
        await message.answer("sent")
    except TelegramRetryAfter as error:
        await asyncio.sleep(error.retry_after)
        await message.answer(f"sent after {error.retry_after} s")


@router.message(Command("long"))
async def too_long(message: Message):
    """Fails; `failed` says so."""
    await message.answer("x" * 4097)


@router.message(Command("status"))
async def status(message: Message, bot: Bot):
    note = await message.answer("working")
    await bot.send_chat_action(message.chat.id, "typing")
    await bot.pin_chat_message(message.chat.id, note.message_id)
    await note.delete()
    chat = await bot.get_chat(message.chat.id)
    member = await bot.get_chat_member(message.chat.id, message.from_user.id)
    menu = await bot.get_my_commands()
    await message.answer(f"{chat.type}, {member.status}, {len(menu)} commands")


@router.message(F.document)
async def received(message: Message, bot: Bot):
    content = await bot.download(message.document)
    reply = ReplyParameters(message_id=message.message_id)
    await message.answer(f"got {content.read().decode()!r}", reply_parameters=reply)


@router.message(F.text)
async def echo(message: Message):
    await message.answer(message.text, entities=message.entities)


@router.edited_message(F.text)
async def edited(message: Message):
    await message.reply(f"now: {message.text}")


@router.my_chat_member()
async def membership(update: ChatMemberUpdated, bot: Bot):
    try:
        await bot.send_message(update.chat.id, f"I am {update.new_chat_member.status}")
    except TelegramForbiddenError:
        pass


@router.error()
async def failed(event: ErrorEvent):
    message = event.update.message
    if message is None or not isinstance(event.exception, TelegramBadRequest):
        raise event.exception
    await message.answer(f"failed: {event.exception.message}")


async def serve_webhook(dispatcher: Dispatcher, bot: Bot):
    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).register(app, path="/hook")
    setup_application(app, dispatcher, bot=bot)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    await bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token=SECRET, max_connections=4)
    info = await bot.get_webhook_info()
    assert info.max_connections == 4, info
    await asyncio.Event().wait()


async def main(url: str, token: str, webhook: bool):
    bot = Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    await bot.set_my_commands([BotCommand(command="start", description="Begin"), BotCommand(command="file", description="A file")])
    if webhook:
        await serve_webhook(dispatcher, bot)
    else:
        await bot.delete_webhook()
        await dispatcher.start_polling(bot)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], "--webhook" in sys.argv[3:]))
