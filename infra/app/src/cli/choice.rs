//! What a person types below a card in a terminal.

use domain::approval::{Approval, Choice, Question};

/// What can be typed below a card.
pub fn choices(approval: &Approval) -> String {
    match (approval.question, approval.always.is_empty()) {
        (Question::Call, true) => "Approve? y, or n with a reason:".to_owned(),
        (Question::Call, false) => "Approve? y, a (always), or n with a reason:".to_owned(),
        (Question::Unknown, _) => {
            "Did it happen? y (go on), again (run it again), or n (stop):".to_owned()
        }
        (Question::Budget, _) => format!("{} more? y, or n (stop):", approval.raise()),
    }
}

/// What a typed line means; `None` for anything that is not clearly one of the choices.
pub fn choice(approval: &Approval, line: &str) -> Option<Choice> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (approval.question, word.to_lowercase().as_str()) {
        (Question::Call, "y" | "yes" | "approve") if rest.is_empty() => Some(Choice::Approve),
        (Question::Call, "a" | "always") if rest.is_empty() && !approval.always.is_empty() => {
            Some(Choice::Always)
        }
        (Question::Call, "n" | "no" | "deny") => Some(Choice::Deny {
            reason: rest.trim().to_owned(),
        }),
        (Question::Unknown, "y" | "yes") if rest.is_empty() => Some(Choice::Happened),
        (Question::Unknown, "again") if rest.is_empty() => Some(Choice::RunAgain),
        (Question::Budget, "y" | "yes" | "+") if rest.is_empty() => Some(Choice::Raise),
        (Question::Unknown | Question::Budget, "n" | "no" | "stop") if rest.is_empty() => {
            Some(Choice::Stop)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(question: Question, always: bool) -> Approval {
        let rule = domain::permission::parse_rule("allow shell_exec ls")
            .unwrap()
            .into_rule("r".into(), None, domain::Micros(0));
        let always = if always { vec![rule] } else { Vec::new() };
        let value = serde_json::json!({
            "id": "a", "run": "r", "session": "s", "agent": "x", "agent_name": "x", "requester": "m",
            "call": {"id": "c", "name": "run_command", "arguments": {}}, "question": question,
            "digest": domain::Digest::of_bytes("d"), "shown": {}, "always": always, "approvers": "operator",
            "status": "pending", "asked_at": 0, "expires_at": 1,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        let call = approval(Question::Call, false);
        assert_eq!(choice(&call, "Y"), Some(Choice::Approve));
        for line in ["", "yes please", "ok", "a", "always", "again"] {
            assert_eq!(choice(&call, line), None, "{line}");
        }
        let reason = "not on a friday".to_owned();
        assert_eq!(
            choice(&call, "n not on a friday"),
            Some(Choice::Deny { reason })
        );
        assert_eq!(
            choice(&approval(Question::Call, true), "a"),
            Some(Choice::Always)
        );
    }

    #[test]
    fn an_interrupted_call_has_its_own_choices() {
        let unknown = approval(Question::Unknown, true);
        assert_eq!(choice(&unknown, "y"), Some(Choice::Happened));
        assert_eq!(choice(&unknown, "again"), Some(Choice::RunAgain));
        assert_eq!(choice(&unknown, "n"), Some(Choice::Stop));
        assert_eq!(choice(&unknown, "a"), None);
    }
}
