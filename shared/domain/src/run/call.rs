//! One call of the latest reply, as the journal tells it.

use super::Decided;
use crate::{
    Digest,
    id::ApprovalId,
    permission::Verdict,
    tool::{ToolCall, ToolClass},
};

/// One call of the latest reply.
#[derive(Clone, PartialEq, Debug)]
pub struct CallState {
    pub call: ToolCall,
    /// With the class of its tool and the digest of what was judged.
    pub judged: Option<(Verdict, ToolClass, Digest)>,
    /// The approval that was asked for, and the digest that it is bound to.
    pub asked: Option<(ApprovalId, Digest)>,
    pub decided: Option<Decided>,
    /// Begun and not finished.
    pub running: bool,
    /// The approval was used by a start.
    pub spent: bool,
    pub finished: bool,
    /// It was finished, and well.
    pub ok: bool,
}

impl CallState {
    pub(super) fn new(call: &ToolCall) -> Self {
        Self {
            call: call.clone(),
            judged: None,
            asked: None,
            decided: None,
            running: false,
            spent: false,
            finished: false,
            ok: false,
        }
    }
}
