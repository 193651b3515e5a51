using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Web;

/// <summary>Requests without an answer, as models read of them.</summary>
internal static class OutboundFaults
{
    /// <param name="fault">What went wrong.</param>
    /// <param name="who">Whom it went wrong with.</param>
    public static ToolException ToToolException(OutboundException fault, string who) => fault.Fault switch
    {
        OutboundFault.Timeout => new(ToolErrors.Timeout, $"{who}: {fault.Message}"),
        OutboundFault.Blocked => new(ToolErrors.BlockedAddress, $"{who}: the network rules of this server forbid the address"),
        OutboundFault.TooLarge => new(ToolErrors.ResponseTooLarge, $"{who}: {fault.Message}"),
        OutboundFault.RedirectRefused => new(ToolErrors.RedirectRefused, $"{who}: {fault.Message}"),
        _ => new(ToolErrors.Unreachable, $"{who}: {fault.Message}"),
    };
}
