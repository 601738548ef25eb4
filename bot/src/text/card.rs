//! A card as text with marks: title, then its blocks in order. Buttons are the surface's.

use super::builder::Builder;
use domain::{
    card::{Block, Card},
    rich_text::{MarkStyle, RichText},
};

#[must_use]
pub fn card(card: &Card) -> RichText {
    let mut out = Builder::default();
    out.marked(&card.title, MarkStyle::Bold);
    let mut fields = false;
    for block in &card.blocks {
        // Fields stand together; everything else has air around it.
        let field = matches!(block, Block::Field { .. });
        if !out.is_empty() {
            out.push(if field && fields { "\n" } else { "\n\n" });
        }
        fields = field;
        match block {
            Block::Text { text } => out.push(text),
            Block::Field { label, value } => out
                .marked(&format!("{label}:"), MarkStyle::Bold)
                .push(" ")
                .push(value),
            Block::Code { language, text } => out.marked(text, MarkStyle::Pre(language.clone())),
        };
    }
    out.build()
}
