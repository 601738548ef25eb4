//! PDFs that are small and unpack to gigabytes, or go on without end: each is ended by the limit of memory or of time, says so, and
//! leaves nothing behind.

use super::{
    Program,
    knowledge::{assembled, is_whole, page, stream},
    knowledge_bad::adds,
};
use std::io::Write;

const LARGE: &str = "this PDF unpacks to more than 1 GB: it was not read.";

fn deflated(piece: &[u8], times: usize) -> Vec<u8> {
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(piece).unwrap();
    // After a flush nothing looks back, so the piece can be repeated.
    packed.flush().unwrap();
    let packed = packed.get_ref().repeat(times);
    [&[0x78, 0x9c], &*packed, &[0x03, 0x00]].concat()
}

/// So many megabytes of blanks.
fn blanks(megabytes: usize) -> Vec<u8> {
    deflated(&vec![b' '; 1 << 20], megabytes)
}

fn kernel(pages: &str) -> Vec<Vec<u8>> {
    [
        "<< /Type /Catalog /Pages 2 0 R >>",
        pages,
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    .map(|object| object.as_bytes().to_vec())
    .to_vec()
}

/// One page, changed, whose content is the fifth object.
fn one_page((from, to): (&str, &str), more: Vec<Vec<u8>>) -> Vec<u8> {
    let mut objects = kernel("<< /Type /Pages /Kids [4 0 R] /Count 1 >>");
    let page = String::from_utf8(page(5)).unwrap();
    objects.push(page.replace(from, to).into_bytes());
    objects.extend(more);
    assembled(&objects)
}

/// What a page shows, packed by these filters.
fn content(filters: &str, packed: &[u8]) -> Vec<u8> {
    let filter = format!("/Filter {filters}");
    one_page(("/Contents", "/Contents"), vec![stream(&filter, packed)])
}

/// The page itself lies in a stream of objects, before gigabytes of nothing.
fn stream_of_objects() -> Vec<u8> {
    let head = "4 0 ";
    let page = String::from_utf8(page(6)).unwrap();
    let objects = deflated(format!("{head}{page}").as_bytes(), 1);
    // Without its end, and the blanks without their beginning.
    let packed = [&objects[..objects.len() - 2], &blanks(4096)[2..]].concat();
    let about = format!(
        "/Type /ObjStm /N 1 /First {} /Filter /FlateDecode",
        head.len()
    );
    let mut out = b"%PDF-1.5\n".to_vec();
    let (mut entries, mut number) = (vec![[0_u8; 7]], 0);
    let mut objects = kernel("<< /Type /Pages /Kids [4 0 R] /Count 1 >>");
    objects.extend([
        Vec::new(),
        stream(&about, &packed),
        stream("", b"BT /F1 12 Tf (words) Tj ET"),
    ]);
    let entry = |kind: u8, at: usize| {
        let [a, b, c, d] = u32::try_from(at).unwrap().to_be_bytes();
        [kind, a, b, c, d, 0, 0]
    };
    for object in objects {
        number += 1;
        if object.is_empty() {
            entries.push(entry(2, 5));
            continue;
        }
        entries.push(entry(1, out.len()));
        out.extend(format!("{number} 0 obj\n").as_bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let at = out.len();
    entries.push(entry(1, at));
    let about = format!("/Type /XRef /Size {} /W [1 4 2] /Root 1 0 R", entries.len());
    out.extend(b"7 0 obj\n");
    out.extend(stream(&about, &entries.concat()));
    out.extend(format!("\nendobj\nstartxref\n{at}\n%%EOF\n").as_bytes());
    out
}

/// A thousand million pages, which are one: each node of the tree has ten times the same child.
fn tree_of_pages() -> Vec<u8> {
    let count = 1_000_000_000;
    let mut objects = kernel(&format!("<< /Type /Pages /Kids [4 0 R] /Count {count} >>"));
    for child in 5..14 {
        let kids = format!("{child} 0 R ").repeat(10);
        objects.push(format!("<< /Type /Pages /Kids [{kids}] /Count {count} >>").into_bytes());
    }
    objects.push(page(14));
    objects.push(stream("", b"BT /F1 12 Tf (words) Tj ET"));
    assembled(&objects)
}

fn many_pages(count: usize) -> Vec<u8> {
    let kids: String = (5..5 + count)
        .map(|number| format!("{number} 0 R "))
        .collect();
    let mut objects = kernel(&format!("<< /Type /Pages /Kids [{kids}] /Count {count} >>"));
    objects.push(stream("", b"0 0 m"));
    let page = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>".to_vec();
    objects.extend(vec![page; count]);
    assembled(&objects)
}

/// A form that shows itself twice, and says a word.
fn form_in_itself() -> Vec<u8> {
    let form = "/Type /XObject /Subtype /Form /BBox [0 0 612 792] \
        /Resources << /XObject << /A 6 0 R >> /Font << /F1 3 0 R >> >>";
    let says = b"BT /F1 12 Tf 72 720 Td (Trains leave at noon.) Tj ET /A Do /A Do";
    one_page(
        ("/Font <<", "/XObject << /A 6 0 R >> /Font <<"),
        vec![stream("", b"/A Do"), stream(form, says)],
    )
}

#[tokio::test]
async fn what_unpacks_without_end_is_ended_by_the_limit_of_memory() {
    let program = Program::alone();
    // 32 MiB of orders to repeat a byte 128 times.
    let repeats = deflated(&[0x81, b' '].repeat(1 << 19), 32);
    let bytes = content("[/FlateDecode /RunLengthDecode]", &repeats);
    assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
    let (status, said) = adds(&program, "repeats.pdf", &bytes).await;
    assert!(status == 1 && said.contains(LARGE), "{said}");
    is_whole(&program, 1).await;
    let left = std::fs::read_dir(program.home().join("data/cache/extract")).unwrap();
    assert_eq!(left.count(), 0, "nothing of it stays");
}

#[tokio::test]
async fn or_by_the_limit_of_time() {
    let mut program = Program::alone();
    // Here it is not worth a processor for a minute and a half.
    program.set("COUNTERSIGN_PDF_S", "4");
    let late = "this PDF takes longer than 4 seconds to read";
    let twice = deflated(&blanks(4096), 1);
    let bombs = [
        ("blanks.pdf", content("/FlateDecode", &blanks(4096))),
        (
            "parts.pdf",
            one_page(
                ("/Contents 5 0 R", "/Contents [5 0 R]"),
                vec![stream("/Filter /FlateDecode", &blanks(4096))],
            ),
        ),
        ("twice.pdf", content("[/FlateDecode /FlateDecode]", &twice)),
        ("objects.pdf", stream_of_objects()),
        ("tree.pdf", tree_of_pages()),
    ];
    let count = bombs.len();
    for (name, bytes) in bombs {
        let (status, said) = adds(&program, name, &bytes).await;
        assert_eq!(status, 1, "{name}: {said}");
        // Which one depends on the machine's speed.
        assert!(
            said.contains(late) || said.contains(LARGE),
            "{name}: {said}"
        );
    }
    is_whole(&program, count).await;
}

#[tokio::test]
async fn pages_and_forms_without_end_have_limits_of_their_own() {
    let program = Program::alone();
    let (status, said) = adds(&program, "pages.pdf", &many_pages(50_001)).await;
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("this PDF has 50001 pages, and at most 50000 are read: split it."),
        "{said}"
    );
    let (status, said) = adds(&program, "form.pdf", &form_in_itself()).await;
    assert_eq!(status, 0, "{said}");
    let (_, out, _) = program.run(&["knowledge", "search", "trains"]).await;
    assert!(out.contains("Trains leave at noon."), "{out}");
    is_whole(&program, 2).await;
}
