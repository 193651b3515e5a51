using Flapjack.Architecture.Tests.Planted.Apples;
using Microsoft.AspNetCore.Http;

namespace Flapjack.Architecture.Tests.Planted.Pears;

/// <summary>Uses another feature's wire and the request, inside an async method and a lambda, where only IL shows it.</summary>
internal sealed class PearPicker
{
    public static readonly string Tool = "hook";

    public static async Task<string> PickAsync(IServiceProvider services)
    {
        await Task.Yield();
        Func<HttpContext, string> path = context => AppleEndpoints.Path(context);
        var response = services.GetService(typeof(AppleResponse)) as AppleResponse;
        return response?.ToString() ?? path.ToString() ?? "";
    }
}
