using Flapjack.Server.Files.Text;
using Flapjack.Server.Platform.Housekeeping;

namespace Flapjack.Server.Files;

internal static class FilesFeature
{
    public static IServiceCollection AddFiles(this IServiceCollection services)
    {
        services.AddSingleton<FileStore>();
        services.AddSingleton<FileTexts>();
        services.AddSingleton<FileDownload>();
        services.AddScoped<FileUpload>();
        services.AddScoped<FileRemoval>();
        services.AddSingleton<IHousekeepingTask, FileSweep>();
        return services;
    }

    public static void MapFiles(this IEndpointRouteBuilder app) => FileEndpoints.Map(app);
}
