use super::*;
use domain::knowledge::passages;

fn section(text: &str, at: u64, unit: Unit) -> Section {
    Section {
        text: text.to_owned(),
        origin: Some(Origin { at, unit }),
        ..Section::default()
    }
}

/// Each of its passages is one sentence after a bit of blank.
fn cut(text: &str, at: u64, unit: Unit) -> (Original, Vec<Passage>) {
    let sections = [section(text, at, unit)];
    (Original::of(&sections), passages(&sections))
}

#[test]
fn what_stands_there_stands_in_every_encoding() {
    for unit in [Unit::Utf8, Unit::Utf16, Unit::OneByte, Unit::Extracted] {
        let text = "  Поезд идёт в полдень. 😀 Билеты в кассе.\n\n".repeat(200);
        let (original, cut) = cut(&text, 2, unit);
        assert!(cut.len() > 2);
        assert_eq!(original.lacks(&cut), None, "{unit:?}");
        type Forge = fn(&mut Passage);
        let forgeries: [Forge; 4] = [
            |passage| passage.text = passage.text.replacen("полдень", "полночь", 1),
            |passage| passage.text.push('!'),
            |passage| {
                for place in [&mut passage.at, &mut passage.within].into_iter().flatten() {
                    *place = place.start + 1..place.end + 1;
                }
            },
            |passage| std::mem::swap(&mut passage.at, &mut passage.within),
        ];
        for (n, forge) in forgeries.into_iter().enumerate() {
            let mut forged = cut.clone();
            forge(&mut forged[1]);
            assert_eq!(original.lacks(&forged), Some(&forged[1]), "{unit:?} {n}");
        }
    }
}

#[test]
fn what_names_no_place_stands_somewhere() {
    let (original, mut cut) = cut("One [1] line.\nAnother  one.\n", 0, Unit::Utf8);
    cut[0].at = None;
    "line. Another one.".clone_into(&mut cut[0].text);
    assert_eq!(original.lacks(&cut), None);
    "[2] line. Another one.".clone_into(&mut cut[0].text);
    assert!(original.lacks(&cut).is_some());
}

#[test]
fn around_a_secret_everything_stands() {
    // The secret was registered when the file had been read.
    let (_, cut) = cut(
        "The key is k7k7k7k7k7, says Bob. It opens [1] the door.",
        0,
        Unit::Utf8,
    );
    let now = "The key is [secret:door], says Bob. It opens [1] the door.";
    let original = Original::of(&[section(now, 0, Unit::Utf8)]);
    let mut shown = cut.clone();
    now.clone_into(&mut shown[0].text);
    assert_eq!(original.lacks(&shown), None);
    let forged = now.replace("opens", "closes");
    forged.clone_into(&mut shown[0].text);
    assert!(original.lacks(&shown).is_some());
}

#[test]
fn a_passage_names_the_pages_on_which_it_stands() {
    let mut at = 0;
    let pages: Vec<Section> = (2..6)
        .map(|page| {
            let text = format!("What stands on page {page}.\n\n");
            let begin = at;
            at += text.len() as u64;
            Section {
                page: Some(page),
                ..section(&text, begin, Unit::Extracted)
            }
        })
        .collect();
    let (original, cut) = (Original::of(&pages), passages(&pages));
    assert_eq!((cut[0].page, cut[0].last_page), (Some(2), Some(5)));
    assert_eq!(original.lacks(&cut), None);
    // As it was kept before the last page was noted.
    let lacks = |pages: (Option<u32>, Option<u32>)| {
        let mut passages = cut.clone();
        (passages[0].page, passages[0].last_page) = pages;
        original.lacks(&passages).is_some()
    };
    assert!(!lacks((Some(2), None)));
    assert!(lacks((Some(2), Some(4))));
    assert!(lacks((Some(3), Some(5))));
    assert!(lacks((None, None)));
}
