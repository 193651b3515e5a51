namespace Flapjack.Providers;

/// <summary>Which files a provider's protocol takes as they are. What it does not take is given as text.</summary>
public static class NativeFiles
{
    private const string Pdf = "application/pdf";

    /// <summary>Whether files of this type may be put into a prompt as <c>DataContent</c>.</summary>
    /// <param name="kind">One of <see cref="ProviderKinds"/>.</param>
    /// <param name="mediaType">Of a document; images are another matter.</param>
    public static bool Takes(string kind, string mediaType) => kind switch
    {
        // https://developers.openai.com/api/docs/guides/file-inputs: documents and texts in Responses, PDF alone in Chat Completions.
        ProviderKinds.OpenAI => true,
        ProviderKinds.OpenAICompatible => mediaType == Pdf,
        // https://docs.anthropic.com/en/docs/build-with-claude/pdf-support: document blocks hold PDF or plain text.
        ProviderKinds.Anthropic or ProviderKinds.AnthropicCompatible => mediaType is Pdf or "text/plain" or "text/markdown" or "text/csv",
        _ => false,
    };
}
