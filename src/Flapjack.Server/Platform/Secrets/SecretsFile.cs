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
        if (generated == stored || TryWrite(path, generated, replaces: stored is not null)) return secrets;
        // A process that started at the same moment was first; its secrets hold.
        return Load(settings);
    }

    private static string Random() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static bool TryWrite(string path, ServerSecrets secrets, bool replaces)
    {
        var temporary = $"{path}.{Ids.New():N}.new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, options))
        {
            JsonSerializer.Serialize(file, secrets);
            file.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(temporary, path, overwrite: replaces);
            return true;
        }
        catch (IOException) when (!replaces && File.Exists(path))
        {
            File.Delete(temporary);
            return false;
        }
    }
}
