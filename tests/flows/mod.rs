//! Flows: what a person does and sees, from the outside. The real program, FakeTelegram, the rehearsal model; a message in, a reply
//! out.

mod approvals;
mod commands;
mod killed;
mod program;
mod terminal;
mod welcome;

use program::Program;
use tests::servers::telegram::{Conversation, FakeTelegram, User};

/// A running program with its owner paired.
struct Team {
    tg: FakeTelegram,
    program: Program,
    ann: Conversation,
}

impl Team {
    async fn start() -> Self {
        let tg = FakeTelegram::start().await;
        let mut program = Program::new(&tg);
        program.up().await;
        let ann = tg.private_chat(&User::new(1001, "Ann"));
        let code = program.pairing_code().await;
        ann.send(&format!("/start {code}"));
        ann.wait_for_text("owner").await;
        Self { tg, program, ann }
    }

    /// How often the workspace's file `effects` was appended to.
    fn effects(&self) -> usize {
        self.program.workspace_file("effects").map_or(0, |text| text.lines().count())
    }
}
