//! The history of one thing that people change, as `/agent history`, `/skill history`, `/mcp history` and `/memory … history` show it.

use super::{Ctx, Reply};
use crate::text::{Builder, en, time};
use domain::rich_text::MarkStyle;
use handlers::versions::Past;

/// Versions that are shown, the latest ones.
const SHOWN: usize = 20;

/// Whose history it is.
pub struct Of<'a> {
    /// The word of the command line: `agents`, `skills`, `mcp`, `memory`.
    pub words: &'a str,
    /// How a change is taken back.
    pub hint: &'a str,
}

pub fn reply(ctx: &Ctx<'_>, of: &Of<'_>, past: &[Past]) -> Reply {
    let mut out = Builder::default();
    let older = past.len().saturating_sub(SHOWN);
    if older > 0 {
        out.push(&en::older_versions(older, of.words)).push("\n");
    }
    for version in past.iter().skip(older) {
        let at = time::at(version.at, ctx.home.now(), &ctx.member.zone);
        out.marked(&en::version(version, &at), MarkStyle::Bold)
            .push("\n");
        if !version.diff.is_empty() {
            out.marked(version.diff.trim_end(), MarkStyle::Pre("diff".to_owned()))
                .push("\n");
        }
    }
    out.push(of.hint);
    ctx.show(&out.build())
}
