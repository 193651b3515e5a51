using Flapjack.Server.Files.Text;

namespace Flapjack.Server.Knowledge.Extraction;

internal static class ExtractionSetup
{
    public static void AddExtraction(this IServiceCollection services)
    {
        services.AddSingleton<DocumentExtractor>();
        services.AddSingleton<PageReader>();
        services.AddSingleton<IDocumentText, FileDocuments>();
    }
}
