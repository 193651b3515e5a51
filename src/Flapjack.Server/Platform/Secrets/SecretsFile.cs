using System.Security.Cryptography;
using System.Text.Json;

namespace Flapjack.Server.Platform.Secrets;

/// <summary>The server's own secrets. What the operator does not set is generated at first start and kept in <c>secrets.json</c> beside the database, readable by the owner only.</summary>
internal sealed record ServerSecrets(string MasterKey, string KeyPepper, string ToolHmacSecret)
{
    public static ServerSecrets Load(Settings.ServerSettings settings)
    {
        Directory.CreateDirectory(settings.DataDirectory);
        var path = Path.Combine(settings.DataDirectory, "secrets.json");
        var stored = File.Exists(path) ? JsonSerializer.Deserialize<ServerSecrets>(File.ReadAllText(path)) : null;
        var secrets = new ServerSecrets(
            settings.MasterKey ?? stored?.MasterKey ?? Random(),
            settings.Auth.KeyPepper ?? stored?.KeyPepper ?? Random(),
            settings.ToolHmacSecret ?? stored?.ToolHmacSecret ?? "whsec_" + Random());
        var generated = new ServerSecrets(
            settings.MasterKey is null ? secrets.MasterKey : stored?.MasterKey!,
            settings.Auth.KeyPepper is null ? secrets.KeyPepper : stored?.KeyPepper!,
            settings.ToolHmacSecret is null ? secrets.ToolHmacSecret : stored?.ToolHmacSecret!);
        if (generated != stored) Write(path, generated);
        return secrets;
    }

    private static string Random() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static void Write(string path, ServerSecrets secrets)
    {
        var temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, options))
        {
            JsonSerializer.Serialize(file, secrets);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
