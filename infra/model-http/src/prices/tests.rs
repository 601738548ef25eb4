use super::*;

#[test]
fn the_table_is_readable_and_dated() {
    let rows: Vec<Price> = serde_json::from_str(include_str!("../prices.json")).unwrap();
    assert!(rows.len() > 20);
    for row in &rows {
        let digits = row.as_of.bytes().filter(u8::is_ascii_digit).count();
        assert!(
            row.as_of.len() == 10 && digits == 8,
            "{}: {}",
            row.model,
            row.as_of
        );
        assert!(
            !row.source.is_empty() && !row.source.contains("://"),
            "{}",
            row.model
        );
        assert!(
            row.input > 0 && row.output >= row.input && row.cache_read <= row.input,
            "{}",
            row.model
        );
        let same = rows
            .iter()
            .filter(|other| (&other.provider, &other.model) == (&row.provider, &row.model));
        assert_eq!(same.count(), 1, "{} twice", row.model);
    }
}

#[test]
fn the_longest_prefix_with_a_border_wins() {
    let row = |provider, model| lookup(provider, model).map(|price| price.model.as_str());
    assert_eq!(
        row("anthropic", "claude-opus-4-5-20251101"),
        Some("claude-opus-4-5")
    );
    assert_eq!(
        row("anthropic", "claude-opus-4-20250514"),
        Some("claude-opus-4")
    );
    assert_eq!(row("openai", "gpt-4o-mini"), Some("gpt-4o-mini"));
    assert_eq!(row("openai", "gpt-4o-2024-08-06"), Some("gpt-4o"));
    assert_eq!(
        row("openrouter", "anthropic/claude-sonnet-4.5"),
        Some("anthropic/claude-sonnet-4")
    );
    assert_eq!(row("openai", "gpt-5-pro"), Some("gpt-5-pro"));
    for (provider, model) in [
        ("openai", "gpt-5.4-pro"),
        ("openai", "gpt-4omega"),
        ("ollama", "gpt-4o"),
        ("anthropic", "claude"),
    ] {
        assert_eq!(row(provider, model), None, "{provider}/{model}");
    }
}

#[test]
fn a_cost_adds_up_and_is_rounded_up() {
    let price = lookup("anthropic", "claude-sonnet-4-5").unwrap();
    let million = Usage {
        input: 1_000_000,
        output: 1_000_000,
        cache_read: 1_000_000,
        cache_write: 1_000_000,
    };
    assert_eq!(
        price.cost(&million),
        MicroUsd(3_000_000 + 15_000_000 + 300_000 + 3_750_000)
    );
    let one = Usage {
        cache_read: 1,
        ..Usage::default()
    };
    assert_eq!(price.cost(&one), MicroUsd(1));
    assert_eq!(price.cost(&Usage::default()), MicroUsd::ZERO);
    let absurd = Usage {
        output: u64::MAX,
        ..Usage::default()
    };
    assert!(price.cost(&absurd) > MicroUsd::ZERO);
}

#[test]
fn a_ceiling_is_above_what_such_a_request_costs() {
    let price = lookup("anthropic", "claude-sonnet-4-5").unwrap();
    // 3000 bytes are at most 1000 tokens, at the price of writing to the cache.
    assert_eq!(price.ceiling(3000, 100), MicroUsd(3750 + 1500));
    let openai = lookup("openai", "gpt-4o").unwrap();
    assert_eq!(openai.ceiling(3000, 100), MicroUsd(2500 + 1000));
}
