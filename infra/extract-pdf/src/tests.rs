use super::*;
use testkit::sandbox::ScriptedSandbox;

/// A PDF with a page for each text; an empty one is a page without any.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let mut objects = objects(&vec![""; pages.len()]);
    for (n, text) in pages.iter().enumerate() {
        let content = match text.is_empty() {
            true => "0 0 m 10 10 l S".to_owned(),
            false => format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET"),
        };
        objects[4 + 2 * n] = stream("", &content);
    }
    assembled(&objects, "")
}

/// Pages of nothing that says anything, by what is said about their streams.
fn objects(pages: &[&str]) -> Vec<String> {
    let kids: Vec<String> = (0..pages.len())
        .map(|n| format!("{} 0 R", 4 + 2 * n))
        .collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Kids [{}] /Count {} >>",
            kids.join(" "),
            pages.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for (n, about) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * n
        ));
        objects.push(stream(about, "noise"));
    }
    objects
}

/// A page that is a picture.
fn scan() -> Vec<u8> {
    let mut objects = objects(&[""]);
    objects[3] = objects[3].replace("/Resources <<", "/Resources << /XObject << /Im 6 0 R >>");
    objects[4] = stream("", "/Im Do");
    let about = "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8";
    objects.push(stream(about, "x"));
    assembled(&objects, "")
}

fn stream(about: &str, content: &str) -> String {
    format!(
        "<< /Length {} {about} >>\nstream\n{content}\nendstream",
        content.len()
    )
}

fn assembled(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", n + 1));
    }
    let at = out.len();
    out.push_str(&format!(
        "xref\n0 {}\n0000000000 65535 f \n",
        objects.len() + 1
    ));
    for place in places {
        out.push_str(&format!("{place:010} 00000 n \n"));
    }
    out.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R {trailer} >>\nstartxref\n{at}\n%%EOF\n",
        objects.len() + 1
    ));
    out.into_bytes()
}

fn refused(bytes: Vec<u8>) -> String {
    match parse(bytes) {
        Answer::Unreadable(why) => why,
        Answer::Read(extracted) => panic!("it was read: {extracted:?}"),
    }
}

#[test]
fn pages_are_sections() {
    let bytes = pdf(&["Trains leave at noon.", "", "Tickets are sold before."]);
    assert!(is_pdf(&bytes) && is_pdf(&[b"\n\n", &*bytes].concat()) && !is_pdf(b"PDF"));
    let Answer::Read(read) = parse(bytes) else {
        panic!("it was not read");
    };
    let said: Vec<_> = read
        .sections
        .iter()
        .map(|one| (one.page, one.text.trim()))
        .collect();
    assert_eq!(
        said,
        [
            (Some(1), "Trains leave at noon."),
            (Some(3), "Tickets are sold before.")
        ]
    );
    assert_eq!(
        (read.pages, &*read.title),
        (Some(3), "Trains leave at noon.")
    );
    assert_eq!(read.skipped, ["page 2 without text (pictures, or blank)."]);
}

#[test]
fn what_cannot_be_read_says_why() {
    assert!(refused(scan()).contains("a scan"));
    assert!(refused(pdf(&["", ""])).contains("there is no text in this PDF"));
    let damaged = objects(&["/Filter /FlateDecode"]);
    assert!(refused(assembled(&damaged, "")).contains("broken"));
    assert!(refused(b"%PDF-1.7 and nothing".to_vec()).contains("broken"));
    let mut cut = pdf(&["Trains leave at noon."]);
    cut.truncate(120);
    assert!(refused(cut).contains("broken"));
    // Encrypted by a password that nobody has: the keys are noise.
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [] /Count 0 >>",
    ]
    .map(str::to_owned);
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let trailer = format!(
        "/ID [<{key}> <{key}>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <{key}> /U <{key}> >>"
    );
    let why = refused(assembled(&objects, &trailer));
    assert!(why.contains("encrypted"), "{why}");
}

fn ended(ended: Ended, output: &str) -> String {
    let result = ExecResult {
        ended,
        output: output.as_bytes().to_vec(),
        output_bytes: output.len() as u64,
    };
    understand(&result, LIMITS.wall).unwrap_err().to_string()
}

#[test]
fn whatever_the_process_does_is_a_sentence() {
    assert!(ended(Ended::TimedOut, "").contains("longer than 90 seconds"));
    assert!(ended(Ended::OutOfMemory, "").contains("1 GB"));
    assert!(ended(Ended::TooMuchOutput, "{").contains("64 MB"));
    assert!(ended(Ended::Signal(11), "").contains("broken"));
    assert!(ended(Ended::Exit(101), "").contains("broken"));
    assert!(ended(Ended::Exit(0), "gibberish").contains("broken"));
    assert_eq!(ended(Ended::Exit(0), r#"{"unreadable":"no."}"#), "no.");
}

#[tokio::test]
async fn the_directory_goes_with_its_file() {
    let scratch = tempfile::tempdir().unwrap();
    // What a killed process left; no process has this number.
    std::fs::create_dir(scratch.path().join("4194999.0")).unwrap();
    let place = Place::make(scratch.path(), None, b"%PDF-").unwrap();
    assert!(place.directory.join(place::PROGRAM).is_file());
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    drop(place);
    let extract = PdfExtract::new(
        std::sync::Arc::new(ScriptedSandbox::default()),
        scratch.path().to_owned(),
    );
    let file = File {
        name: "a.pdf",
        bytes: b"%PDF-",
    };
    assert!(extract.extract(file).await.is_err());
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn pages_are_named_in_runs() {
    let words = [vec![3], vec![1, 2, 3, 4, 7]].map(|numbers| parse::pages(&numbers));
    assert_eq!(words, ["page 3", "pages 1–4, 7"]);
}
