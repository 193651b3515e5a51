using Flapjack.Providers;
using Flapjack.Server.Files;
using Flapjack.Server.Models;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Attachments;

/// <summary>What the models of a turn can be given. Any of them may have to answer, so all of them count.</summary>
internal sealed class AttachmentSupport
{
    private readonly IReadOnlyList<ModelChoice> _models;

    private AttachmentSupport(IReadOnlyList<ModelChoice> models) => _models = models;

    public static AttachmentSupport Of(TurnPlan plan) => new([plan.Model, .. plan.Fallbacks]);

    /// <summary>The first model that cannot take such content as it is; null when all can.</summary>
    public ModelChoice? Unable(string mediaType) => FileTypes.IsImage(mediaType)
        ? _models.FirstOrDefault(model => !model.Supports.Vision)
        : _models.FirstOrDefault(model => !model.Supports.Files || !NativeFiles.Takes(model.Kind, mediaType));
}
