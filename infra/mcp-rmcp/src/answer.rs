//! What a call gave, as text for a model.

use ports::mcp::{MESSAGE_LIMIT, McpError};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

/// The texts, and whether the server says that it went well. What is no text is named.
///
/// # Errors
/// [`McpError::TooLarge`].
pub fn read(result: &CallToolResult) -> Result<(String, bool), McpError> {
    let mut parts: Vec<String> = result.content.iter().map(part).collect();
    // Servers are asked to give the same as text; where they don't, this is all there is.
    if let (true, Some(value)) = (parts.is_empty(), &result.structured_content) {
        parts.push(value.to_string());
    }
    let text = parts.join("\n");
    if text.len() > MESSAGE_LIMIT {
        return Err(McpError::TooLarge);
    }
    Ok((text, result.is_error != Some(true)))
}

fn part(content: &ContentBlock) -> String {
    let not_shown = |what: &str, kind: &str, base64: &str| {
        format!(
            "[{what} {kind}, about {} bytes, not shown]",
            base64.len() / 4 * 3
        )
    };
    match content {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => not_shown("an image,", &image.mime_type, &image.data),
        ContentBlock::Audio(audio) => not_shown("a sound,", &audio.mime_type, &audio.data),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { text, .. } => text.clone(),
            ResourceContents::BlobResourceContents { uri, blob, .. } => {
                not_shown("a file,", uri, blob)
            }
            _ => "[a resource, not shown]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!("[a resource: {}]", link.uri),
        _ => "[something that is no text, not shown]".to_owned(),
    }
}
