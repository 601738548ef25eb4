//! A multipart body (RFC 7578). Written by hand because teloxide's way of sending a file is tied to its way of reading answers.

pub(super) struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    pub(super) fn for_file(bytes: &[u8]) -> Self {
        // The boundary may not occur in the file; fields are ours or checked below.
        let mut boundary = "countersign-part".to_owned();
        while bytes
            .windows(boundary.len())
            .any(|window| window == boundary.as_bytes())
        {
            boundary.push_str(&bytes.len().to_string());
        }
        Self {
            boundary,
            body: Vec::with_capacity(bytes.len() + 1024),
        }
    }

    pub(super) fn field(&mut self, name: &str, value: &str) {
        // A caption that holds the boundary would end its part.
        let value = value.replace(&self.boundary, "");
        self.push(&format!(
            "--{}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n",
            self.boundary
        ));
    }

    pub(super) fn finish(mut self, name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
        let name: String = name
            .chars()
            .map(|c| {
                if c == '"' || c == '\\' || c.is_control() {
                    '_'
                } else {
                    c
                }
            })
            .collect();
        let head = format!(
            "--{}\r\ncontent-disposition: form-data; name=\"document\"; filename=\"{name}\"\r\ncontent-type: text/plain; charset=utf-8\r\n\r\n",
            self.boundary
        );
        self.push(&head);
        self.body.extend_from_slice(bytes);
        self.push(&format!("\r\n--{}--\r\n", self.boundary));
        (
            format!("multipart/form-data; boundary={}", self.boundary),
            self.body,
        )
    }

    fn push(&mut self, text: &str) {
        self.body.extend_from_slice(text.as_bytes());
    }
}
